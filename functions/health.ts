import { http } from "@google-cloud/functions-framework";
import { serve } from "../src/functions/serve.ts";

/** The scheduled health check: parse, call, answer. What a refused caller does not need is loaded late. */
http(
  "health",
  serve({
    name: "health",
    methods: ["GET", "POST"],
    read: async (asked) => (await import("../src/functions/report.ts")).lastReport(asked),
    handle: async (sent) => (await import("../src/functions/health.ts")).healthFunction(sent),
  }),
);
