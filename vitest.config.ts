import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** The longest files, longest first: what begins first does not end last and alone. */
const longest: readonly string[] = [
  "strangers/deploy",
  "worlds-to-google",
  "worlds-to-aws",
  "strangers/live-edits",
  "docs",
  "faults",
  "strangers/setup-gcloud",
  "strangers/deploy-gcloud",
  "strangers/google-auth",
  "strangers/workflows",
  "google-links",
  "quiet",
  "strangers/aws",
  "crash",
  "strangers/gcloud-speakers",
  "cli",
  "secrets",
  "cli-edges",
  "watch",
  "party.contract",
  "functions",
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const at = longest.findIndex(
        (name) => moduleId.endsWith(`/test/${name}.ts`) || moduleId.endsWith(`/test/${name}.test.ts`),
      );
      return at < 0 ? longest.length : at;
    };
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => place(a) - place(b));
  }
}

// Two cores: files in parallel. No timeout here measures anything: each only ends what would hang for ever.
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts", "test/party.contract.ts"],
    setupFiles: ["test/support/silence.ts"],
    testTimeout: 3_600_000,
    hookTimeout: 3_600_000,
    // Tests start the command line hundreds of times: compiled once, a start costs half the processor time.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, "node_modules", ".cache", "crosstrust-tests") },
    sequence: { sequencer: LongestFirst },
    pool: "forks",
    // Most of a file's own time is loading what the file before it has loaded already. No test changes a module.
    isolate: false,
    // One more than there are cores: much of the time is waited for programs and for pauses between tries.
    maxWorkers: 3,
    reporters: ["default"],
  },
});
