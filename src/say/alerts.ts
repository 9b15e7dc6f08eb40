import type { Notice } from "../model.ts";
import { displayed } from "./visible.ts";

/** As many links as a message names. */
const named = 10;

/** One line for people; what a chat would take for a command of its own is written so that it does not. */
export function noticeText(deployment: string, notice: Notice): string {
  const { state, alert } = displayed(notice);
  const { cause, links, since, id, shows = [] } = alert;
  const more = links.length > named ? ` and ${links.length - named} more` : "";
  const which = `${links.slice(0, named).join(", ")}${more}`;
  const changed = shows.length > 0 ? ` (${shows.join("; ")})` : "";
  const word = state === "opened" && alert.severity === "security" ? "opened, a stranger gets in" : state;
  const text = `crosstrust ${deployment}: ${word}: ${cause.what} at ${cause.where}${which ? `: ${which}` : ""}${changed}, since ${since} (${id})`;
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/**
 * The same as one structured log line (serverless.md 7): alert policies match `event` and `alert.state`. It holds names
 * out of the file and codes, and nothing that a cloud has answered.
 */
export function noticeLine(deployment: string, notice: Notice) {
  const { state, alert } = notice;
  const open = alert.severity === "security" ? "CRITICAL" : "ERROR";
  const shown = alert.shows ? { shows: alert.shows } : {};
  return {
    severity: state === "closed" ? "NOTICE" : open,
    message: noticeText(deployment, notice),
    event: "crosstrust.alert",
    deployment,
    alert: { id: alert.id, state, cause: alert.cause, links: alert.links, since: alert.since, ...shown },
  };
}
