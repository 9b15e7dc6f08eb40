import { http } from "@google-cloud/functions-framework";
import { provisionFunction } from "../src/functions/provision.ts";
import { serve } from "../src/functions/serve.ts";

/** The provisioning function: plans, and applies exactly a plan that somebody looked at. */
http("provision", serve(provisionFunction));
