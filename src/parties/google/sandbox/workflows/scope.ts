import { fault, sizeOf, type Value } from "./values.ts";

/** serverless.md 5.6, secondary: the variables of an execution together, and one string. */
const most = 512 * 1024;
export const longestString = 256 * 1024;

/** What all variables of an execution take. */
export class Memory {
  private used = 0;

  take(bytes: number): void {
    this.used += bytes;
    if (this.used > most) throw fault("ResourceLimitError", "the variables take more than 512 KB");
  }
}

/**
 * The names of one block. A function has one; a `for`, an `except` and a branch have one of their own inside it. An
 * assignment goes to where the name is known already, else it makes the name here (serverless.md 6.4, scope).
 */
export class Scope {
  private readonly names = new Map<string, Value>();
  private readonly memory: Memory;
  private readonly parent: Scope | undefined;

  constructor(memory: Memory, parent?: Scope) {
    this.memory = memory;
    this.parent = parent;
  }

  inner(): Scope {
    return new Scope(this.memory, this);
  }

  get(name: string): Value {
    const holder = this.holderOf(name);
    const value = holder?.names.get(name);
    if (value === undefined) throw fault("KeyError", `variable not found: ${name}`);
    return value;
  }

  set(name: string, value: Value): void {
    (this.holderOf(name) ?? this).declare(name, value);
  }

  /** Here, whatever stands further out under that name. */
  declare(name: string, value: Value): void {
    if (typeof value === "string" && value.length > longestString)
      throw fault("ResourceLimitError", "a string takes more than 256 KB");
    const before = this.names.get(name);
    this.memory.take(sizeOf(value) - (before === undefined ? 0 : sizeOf(before)));
    this.names.set(name, value);
  }

  /** Its block has ended. */
  release(): void {
    for (const value of this.names.values()) this.memory.take(-sizeOf(value));
    this.names.clear();
  }

  private holderOf(name: string): Scope | undefined {
    return this.names.has(name) ? this : this.parent?.holderOf(name);
  }
}
