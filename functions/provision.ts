import { http } from "@google-cloud/functions-framework";
import { serve } from "../src/functions/serve.ts";

/** The provisioning function: plans, and applies exactly a plan that somebody looked at. */
http(
  "provision",
  serve({
    name: "provision",
    methods: ["POST"],
    handle: async (sent) => (await import("../src/functions/provision.ts")).provisionFunction(sent),
  }),
);
