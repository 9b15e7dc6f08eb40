import type { KnownMessage } from "../../model.ts";
import { accessMessages } from "./messages/access.ts";
import { clientMessages } from "./messages/clients.ts";
import { iamMessages } from "./messages/iam.ts";
import { tokenMessages } from "./messages/token.ts";

/** Every text of AWS and its clients that is known. */
export const messages: readonly KnownMessage[] = [
  ...tokenMessages,
  ...accessMessages,
  ...iamMessages,
  ...clientMessages,
];
