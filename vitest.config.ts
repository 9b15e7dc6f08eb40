import { defineConfig } from "vitest/config";

// Two cores: files in parallel, and long enough for the tests that start programs we did not write.
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts", "test/party.contract.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: "forks",
    // One more than there are cores: much of the time is waited for programs and for pauses between tries.
    maxWorkers: 3,
    reporters: ["default"],
  },
});
