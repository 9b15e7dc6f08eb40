import type { Player } from "../sandbox/fake.ts";
import { player as aws } from "./aws/sandbox/index.ts";
import { player as entra } from "./entra/sandbox/index.ts";
import { player as google } from "./google/sandbox/index.ts";

/** What the sandbox plays; apart from the parties themselves, so that a command in the cloud loads none of it. */
export const players: readonly Player[] = [google, entra, aws];
