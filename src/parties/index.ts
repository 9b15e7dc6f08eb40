import type { Party } from "../model.ts";
import { aws, shape as awsShape } from "./aws/index.ts";
import { google, shape as googleShape } from "./google/index.ts";

/** The one list. A new party is one folder and one line here. */
export const parties: readonly Party[] = [google, aws];

export const shapes = [googleShape, awsShape];
