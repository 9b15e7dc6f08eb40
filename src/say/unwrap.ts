/** Clients quote answers inside of quotes: each round takes one layer of escapes away. */
const rounds = 4;

const named: Readonly<Record<string, string>> = { quot: '"', apos: "'", lt: "<", gt: ">", amp: "&", nbsp: " " };

/**
 * Returns the text of a whole output as its sender wrote it, on one line: without colours, without the time stamps, frames
 * and marks that GitHub and Terraform put before each line, and without the escapes of JSON, Python and XML around an
 * answer that a client quotes. Nothing of the words is left out.
 */
export function unwrap(output: string): string {
  let text = output
    .replace(/\x1b\[[0-9;?]*[A-Za-z]/g, "")
    .replace(/^\uFEFF/, "")
    .replace(/^[ \t]*\d{4}-\d\d-\d\dT[\d:.]+Z[ \t]?/gm, "")
    .replace(/^[ \t]*##\[\w+\]/gm, "")
    .replace(/^[ \t]*[│╷╵|>][ \t]?/gm, "");
  for (let round = 0; round < rounds; round++) {
    const next = unescaped(text);
    if (next === text) break;
    text = next;
  }
  return text.replace(/[‘’]/g, "'").replace(/[“”]/g, '"').replace(/\s+/g, " ").trim();
}

/** One layer less. A backslash before anything else is the text's own, such as in a pattern or a Windows path. */
const unescaped = (text: string): string =>
  text
    .replace(/\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2}))/g, (_, wide?: string, narrow?: string) =>
      String.fromCharCode(Number.parseInt(wide ?? narrow ?? "20", 16)),
    )
    .replace(/\\[nrt]/g, " ")
    .replace(/\\(["'`/\\])/g, "$1")
    .replace(/&(?:#(\d{1,5})|#x([0-9a-fA-F]{1,4})|(quot|apos|lt|gt|amp|nbsp));/g, (_, ten, sixteen, name) =>
      name === undefined
        ? String.fromCharCode(ten === undefined ? Number.parseInt(sixteen, 16) : Number(ten))
        : (named[name] ?? " "),
    );
