/** What stands below the options of a command's `--help`. */
interface Help {
  /** Commands as they are typed, each with what it does. */
  readonly examples: readonly (readonly [command: string, does: string])[];
  /** Exit codes that this command can end with, beside 0, 1, 64 and 130, in the contract's order. */
  readonly exits?: readonly (keyof typeof meanings)[];
}

/** What an exit code means (contract, section 2). */
const meanings = {
  65: "the file has errors",
  3: "a link is broken, or open: it lets a stranger in",
  77: "not permitted",
  73: "something exists and is not ours",
  75: "could not tell: try again",
  2: "something differs",
} as const;

const every = [65, 3, 77, 73, 75, 2] as const;

/** By the name of the command; the program's own is `crosstrust`. */
const helps: Readonly<Record<string, Help>> = {
  crosstrust: {
    examples: [
      ["crosstrust init", "begin: a starter file with comments"],
      ["crosstrust apply --sandbox", "try it offline"],
      ["crosstrust apply", "in your clouds: shows the plan and asks once"],
      ["crosstrust health", "is every link well, and does nobody else get in?"],
      ["crosstrust explain reports-to-s3", "why not?"],
    ],
    exits: every,
  },
  init: {
    examples: [
      ["crosstrust init", "Google Cloud to AWS"],
      ["crosstrust init --from oidc --to aws", "any OIDC issuer, such as GitHub, to AWS"],
      ["crosstrust init --from azure --to gcp", "Entra ID to Google Cloud"],
    ],
  },
  lint: {
    examples: [
      ["crosstrust lint", "needs no credentials and no network"],
      ["crosstrust lint --severity security", "fail on what lets too many in, too"],
      ["crosstrust lint --live", "judge what is there now by the same rules"],
      ["crosstrust lint --format sarif --output lint.sarif", "for a code host"],
    ],
    exits: [65, 3, 77, 75],
  },
  plan: {
    examples: [
      ["crosstrust plan", "the whole file"],
      ["crosstrust plan 'reports-*'", "some of its links"],
      ["crosstrust plan --format markdown", "as a comment on a pull request"],
    ],
    exits: [65, 77, 73, 75, 2],
  },
  apply: {
    examples: [
      ["crosstrust apply", "shows the plan and asks"],
      ["crosstrust apply 0123456789abcdef", "exactly the plan with this fingerprint, without a question"],
      ["crosstrust apply --adopt reports-to-s3", "take over what exists already"],
    ],
    exits: every,
  },
  health: {
    examples: [
      ["crosstrust health", "every link"],
      ["crosstrust health --html report.html", "and a page to look at"],
      ["crosstrust health --exit-zero", "in a shell that stops at the first failure: drift alone ends with 0"],
    ],
    exits: every,
  },
  explain: {
    examples: [
      ["crosstrust explain reports-to-s3", "prove a link, and explain what fails"],
      ["crosstrust explain AWS-AUD-IS-AZP", "what a code means"],
      ["crosstrust explain --token token.jwt --trust-policy trust.json", "offline, condition by condition"],
      [
        "aws iam get-role --role-name R | crosstrust explain --claims claims.json --trust-policy -",
        "from claims alone",
      ],
      ["crosstrust explain --token token.jwt --pool-provider pool.yaml --iam-policy policy.yaml", "up to the account"],
      ["crosstrust explain --error 'Incorrect token audience'", "what a message means"],
    ],
    exits: every,
  },
  destroy: {
    examples: [
      ["crosstrust destroy", "everything that the file made"],
      ["crosstrust destroy reports-to-s3", "one link; what others need stays"],
    ],
    exits: [65, 77, 73, 75],
  },
  token: {
    examples: [
      ["crosstrust token reports-to-s3", "the claims, and what AWS reads in them"],
      ["crosstrust token reports-to-s3 --raw | crosstrust explain --token - --role ARN", "a fresh token judged"],
    ],
    exits: [65, 77, 75],
  },
  credentials: {
    examples: [
      ["crosstrust credentials reports-to-s3", "one JSON object for credential_process"],
      ["aws configure set profile.reports.credential_process 'crosstrust credentials reports-to-s3'", "a profile"],
    ],
    exits: [65, 3, 77, 75],
  },
  "credential-config": {
    examples: [["crosstrust credential-config uploads --output google.json", "for GOOGLE_APPLICATION_CREDENTIALS"]],
    exits: [65, 77, 75],
  },
  onboard: {
    examples: [
      ["crosstrust onboard", "from the file to the first good health check"],
      ["crosstrust onboard --deploy", "and on, until a schedule checks every link"],
    ],
    exits: every,
  },
  deploy: {
    examples: [
      ["crosstrust deploy --dry-run", "print the commands of gcloud"],
      ["crosstrust deploy", "show what is missing, ask, and make it"],
    ],
    exits: [65, 77, 73, 75],
  },
  offboard: {
    examples: [["crosstrust offboard", "show what deploy has put there, ask, and remove it"]],
    exits: [65, 77, 75],
  },
  sandbox: {
    examples: [
      ["crosstrust sandbox", "serve this folder's sandbox until it is interrupted"],
      ["crosstrust sandbox exec -- aws sts get-caller-identity", "a program inside it"],
    ],
  },
  "sandbox exec": {
    examples: [
      ["crosstrust sandbox exec -- aws iam list-roles", "the unmodified aws CLI"],
      ["crosstrust sandbox exec --as uploads -- gcloud storage ls", "as the workload of a link to Google"],
    ],
  },
  "sandbox coverage": {
    examples: [
      ["crosstrust sandbox coverage | grep aws.sts", "what of one service is played"],
      ["crosstrust sandbox coverage --json", "for programs"],
    ],
  },
  "sandbox env": { examples: [['eval "$(crosstrust sandbox env)"', "in a shell, while a sandbox is served"]] },
  codes: {
    examples: [
      ["crosstrust codes", "all of them"],
      ["crosstrust codes audience", "those whose page has the word"],
    ],
  },
  completion: {
    examples: [
      ["source <(crosstrust completion bash)", "or zsh"],
      ["crosstrust completion fish | source", "in fish"],
    ],
  },
};

/** Environment variables that change what the commands do, on the first page of the help alone. */
const environment = [
  ["CROSSTRUST_FILE", "the federation file, where --file is not given"],
  ["CROSSTRUST_SANDBOX", "http://127.0.0.1:PORT: the same as --sandbox, with the sandbox that is served there"],
  ["CROSSTRUST_LOG", "debug: the same as --verbose"],
  ["NO_COLOR, FORCE_COLOR", "no colours, or colours where nobody is looking; --color comes first"],
  ["XDG_CACHE_HOME", "below it is the folder of compiled code, crosstrust/node (~/.cache)"],
] as const;

/** Returns what stands below the options of a command's help: examples, exit codes, and for the program its environment. */
export function helpOf(name: string): string {
  const { examples = [], exits = [] } = helps[name] ?? {};
  const parts = [
    section("Examples", examples),
    section(
      "Exit codes",
      exits.length === 0
        ? []
        : ([["0", "as asked"], ...exits.map((code) => [String(code), meanings[code]] as const)] as const),
    ),
    ...(name === "crosstrust" ? [section("Environment", environment)] : []),
  ];
  return parts.join("");
}

function section(title: string, rows: readonly (readonly [string, string])[]): string {
  if (rows.length === 0) return "";
  const width = Math.max(...rows.map(([left]) => left.length));
  const lines = rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
  return `\n${title}:\n${lines.join("\n")}\n`;
}
