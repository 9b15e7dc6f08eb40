import type { KnownMessage } from "../../model.ts";
import { accessMessages } from "./messages/access.ts";
import { clientMessages } from "./messages/clients.ts";
import { exchangeMessages } from "./messages/exchange.ts";
import { requestMessages } from "./messages/requests.ts";

/** Every text of Google and its clients that is known. */
export const messages: readonly KnownMessage[] = [
  ...exchangeMessages,
  ...accessMessages,
  ...requestMessages,
  ...clientMessages,
];
