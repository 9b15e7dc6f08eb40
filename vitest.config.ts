import { join } from "node:path";
import { defineConfig } from "vitest/config";

// Two cores: files in parallel. No timeout here measures anything: each only ends what would hang for ever.
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts", "test/party.contract.ts"],
    setupFiles: ["test/support/silence.ts"],
    testTimeout: 600_000,
    hookTimeout: 600_000,
    // Tests start the command line hundreds of times: compiled once, a start costs half the processor time.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, "node_modules", ".cache", "crosstrust-tests") },
    pool: "forks",
    // One more than there are cores: much of the time is waited for programs and for pauses between tries.
    maxWorkers: 3,
    reporters: ["default"],
  },
});
