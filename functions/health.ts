import { http } from "@google-cloud/functions-framework";
import { healthFunction } from "../src/functions/health.ts";
import { serve } from "../src/functions/serve.ts";

/** The scheduled health check: parse, call, answer. */
http("health", serve(healthFunction));
