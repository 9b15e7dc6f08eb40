// What the action does after crosstrust is installed: lint, plan, health, each with its answer in the summary of the step and
// its exit code among the outputs; and the plan as a comment on the pull request. It needs Node alone.
import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { appendFileSync, readFileSync } from "node:fs";

/** Marks our comment, so that later runs change it instead of writing another one. */
const marker = "<!-- crosstrust -->";

/** Exit codes that say how a thing is, and not that the command failed (the contract, section 2). */
const fine = 0;
const differs = 2;

/** Events that a stranger can cause and whose jobs have the secrets of the repository. */
const privileged = ["pull_request_target", "workflow_run", "issue_comment"];

const { env } = process;
const event = env.GITHUB_EVENT_PATH ? JSON.parse(readFileSync(env.GITHUB_EVENT_PATH, "utf8")) : {};
const pull = event.pull_request;

process.exitCode = await main();

async function main() {
  if (privileged.includes(env.GITHUB_EVENT_NAME))
    return stop(
      `crosstrust does not run on ${env.GITHUB_EVENT_NAME}: strangers cause that event, and it has the secrets of the repository. Use pull_request`,
    );
  const wrong = wrongInput();
  if (wrong) return stop(wrong);
  const lint = crosstrust("lint", "--severity", env.INPUT_SEVERITY);
  report("lint", lint, fenced(lint.out || lint.err));
  if (env.INPUT_SARIF)
    crosstrust("lint", "--severity", env.INPUT_SEVERITY, "--format", "sarif", "--output", env.INPUT_SARIF);
  const plan = lint.exit === fine || lint.exit === 3 ? planned() : undefined;
  if (plan && env.INPUT_COMMENT === "true" && pull) await comment(plan.out);
  const health = checked();
  const drift = env.INPUT_DRIFT === "tell" ? [fine, differs] : [fine];
  const good =
    lint.exit === fine &&
    (plan === undefined || [fine, differs].includes(plan.exit)) &&
    (health === undefined || drift.includes(health.exit));
  return good ? 0 : 1;
}

/** An input that is misspelt would otherwise leave a check out without a word. */
function wrongInput() {
  const allowed = {
    INPUT_SEVERITY: ["security", "error"],
    INPUT_PLAN: ["cloud", "sandbox", "none"],
    INPUT_HEALTH: ["true", "false"],
    INPUT_DRIFT: ["fail", "tell"],
    INPUT_COMMENT: ["true", "false"],
  };
  const wrong = Object.entries(allowed).find(([name, values]) => !values.includes(env[name] ?? ""));
  return wrong && `the input ${wrong[0].slice("INPUT_".length).toLowerCase()} takes ${wrong[1].join(" or ")}`;
}

/** A fork's file is planned offline, because a plan in the cloud signs with what the file names. */
function planned() {
  if (env.INPUT_PLAN === "none") return undefined;
  const fork = pull !== undefined && pull.head?.repo?.full_name !== pull.base?.repo?.full_name;
  const where = env.INPUT_PLAN === "sandbox" || fork ? ["--sandbox"] : [];
  const plan = crosstrust("plan", "--format", "markdown", ...where);
  report("plan", plan, plan.out || fenced(plan.err));
  const [, fingerprint = ""] = /^plan ([0-9a-f]{16}) /m.exec(plan.out) ?? [];
  output("fingerprint", fingerprint);
  return plan;
}

/** Proving a link uses it, so a pull request never does. */
function checked() {
  if (env.INPUT_HEALTH !== "true") return undefined;
  if (pull !== undefined) {
    process.stdout.write("::notice::health is not run for a pull request: it would use the links\n");
    return undefined;
  }
  const health = crosstrust("health", "--format", "markdown");
  report("health", health, health.out || fenced(health.err));
  return health;
}

function crosstrust(command, ...words) {
  const all = [command, ...words, "--file", env.INPUT_FILE, "--quiet"];
  // The token of the comment is none of crosstrust's business, nor of a program that the file names.
  const { INPUT_TOKEN: _token, ...rest } = env;
  const { status, stdout, stderr, error } = spawnSync("crosstrust", all, { encoding: "utf8", env: rest });
  if (error) return { exit: 1, out: "", err: `crosstrust cannot be run: ${error.message}` };
  return { exit: status ?? 1, out: stdout, err: stderr };
}

function report(name, { exit, err }, text) {
  process.stdout.write(`crosstrust ${name} ended with ${exit}\n`);
  if (err) process.stderr.write(err);
  output(name, String(exit));
  if (env.GITHUB_STEP_SUMMARY) appendFileSync(env.GITHUB_STEP_SUMMARY, `${text}\n\n`);
}

/** With a word of its own around the value, that nothing in it can end. */
function output(name, value) {
  if (!env.GITHUB_OUTPUT) return;
  const word = `end-${randomUUID()}`;
  appendFileSync(env.GITHUB_OUTPUT, `${name}<<${word}\n${value}\n${word}\n`);
}

/** A fence longer than any in the text. */
function fenced(text) {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map(({ length }) => length));
  const fence = "`".repeat(longest + 1);
  return `${fence}text\n${text.trimEnd()}\n${fence}`;
}

/** Writes the plan onto the pull request, or changes what an earlier run wrote there. A plan is not lost by it: the summary has it. */
async function comment(text) {
  const issue = `${env.GITHUB_API_URL}/repos/${env.GITHUB_REPOSITORY}/issues`;
  const body = JSON.stringify({ body: `${marker}\n${text}` });
  try {
    const listed = await api("GET", `${issue}/${pull.number}/comments?per_page=100`);
    const own = listed.find((one) => one.body?.startsWith(marker) && one.user?.type === "Bot");
    if (own) await api("PATCH", `${issue}/comments/${own.id}`, body);
    else await api("POST", `${issue}/${pull.number}/comments`, body);
  } catch (error) {
    process.stdout.write(`::warning::the plan could not be written onto the pull request: ${error.message}\n`);
  }
}

async function api(method, url, body) {
  const headers = {
    authorization: `Bearer ${env.INPUT_TOKEN}`,
    accept: "application/vnd.github+json",
    "content-type": "application/json",
  };
  const signal = AbortSignal.timeout(30_000);
  const answer = await fetch(url, { method, headers, signal, redirect: "error", ...(body ? { body } : {}) });
  if (!answer.ok) throw new Error(`${method} ${new URL(url).pathname} was answered with ${answer.status}`);
  return answer.json();
}

function stop(says) {
  process.stdout.write(`::error::${says}\n`);
  return 1;
}
