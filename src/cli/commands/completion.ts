import type { Command as Program } from "commander";
import { codes } from "../../verdict/exit.ts";
import type { Answer } from "../answer.ts";
import { UsageError } from "../exit.ts";

/** One command as a shell completes it: the words before it, the commands below it, and its options. */
interface Words {
  readonly path: readonly string[];
  readonly commands: readonly Word[];
  readonly options: readonly Word[];
}

interface Word {
  readonly word: string;
  readonly says: string;
}

/** Prints what makes a shell complete commands and options: `source <(crosstrust completion bash)`. */
export function completion(shell: string, program: Program): Answer {
  const write = shells[shell];
  if (write === undefined) throw new UsageError(`completion takes ${Object.keys(shells).join(", ")}; not ${shell}`);
  return { exit: codes.fine, text: write(wordsOf(program, [])), exact: true };
}

/** Every command of the tree with what may stand behind it. Options of the program itself go with each. */
function wordsOf(command: Program, path: readonly string[]): readonly Words[] {
  const common = path.length === 0 ? [] : optionsOf(rootOf(command));
  const below = command.commands.map((one) => ({ word: one.name(), says: one.description() }));
  const own = { path, commands: below, options: [...optionsOf(command), ...common] };
  return [own, ...command.commands.flatMap((one) => wordsOf(one, [...path, one.name()]))];
}

const rootOf = (command: Program): Program => (command.parent === null ? command : rootOf(command.parent));

const optionsOf = (command: Program): readonly Word[] =>
  command.options.flatMap(({ long, description }) => (long ? [{ word: long, says: description }] : []));

const shells: Readonly<Record<string, (all: readonly Words[]) => string>> = { bash, zsh, fish };

const list = (words: readonly Word[]): string => words.map(({ word }) => word).join(" ");

/** The commands that have been typed decide: the longest path that the words begin with. */
function bash(all: readonly Words[]): string {
  const cases = [...all]
    .sort((one, other) => other.path.length - one.path.length)
    .map(({ path, commands, options }) => `    "${path.join(" ")}"*) words="${list([...commands, ...options])}" ;;`);
  return `# bash completion for crosstrust: source <(crosstrust completion bash)
_crosstrust() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" typed="" word words=""
  case "$previous" in
    --file|-f|--output|--html|--token|--trust-policy|--ca|--token-file) COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) typed="\${typed:+$typed }$word" ;; esac
  done
  case "$typed" in
${cases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _crosstrust crosstrust
`;
}

/** As zsh takes a description: quoted, and a colon ends the word before it. */
const described = ({ word, says }: Word): string =>
  `'${word.replaceAll(":", "\\:")}:${says.replaceAll("'", "'\\''").replaceAll(":", "\\:")}'`;

function zsh(all: readonly Words[]): string {
  const cases = [...all]
    .sort((one, other) => other.path.length - one.path.length)
    .map(({ path, commands, options }) => {
      const offered = [...commands, ...options].map((word) => `      ${described(word)}`).join("\n");
      return `    "${path.join(" ")}"*) offered=(\n${offered}\n    ) ;;`;
    });
  return `#compdef crosstrust
# zsh completion for crosstrust: source <(crosstrust completion zsh)
_crosstrust() {
  local typed="" word
  local -a offered
  case "\${words[CURRENT-1]}" in
    --file|-f|--output|--html|--token|--trust-policy|--ca|--token-file) _files; return ;;
  esac
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$word" in -*) ;; *) typed="\${typed:+$typed }$word" ;; esac
  done
  case "$typed" in
${cases.join("\n")}
  esac
  _describe 'crosstrust' offered
}
compdef _crosstrust crosstrust
`;
}

/** As fish takes a text between single quotes. */
const quoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

function fish(all: readonly Words[]): string {
  const lines = all.flatMap(({ path, commands, options }) => {
    const seen = path.map((word) => `__fish_seen_subcommand_from ${word}`);
    const here = path.length === 0 ? "__fish_use_subcommand" : seen.join("; and ");
    return [
      ...commands.map(({ word, says }) => `complete -c crosstrust -n ${quoted(here)} -f -a ${word} -d ${quoted(says)}`),
      ...options.map(
        ({ word, says }) => `complete -c crosstrust -n ${quoted(here)} -l ${word.slice(2)} -d ${quoted(says)}`,
      ),
    ];
  });
  return `# fish completion for crosstrust: crosstrust completion fish | source\n${lines.join("\n")}\n`;
}
