export { checkCaller } from "./caller.ts";
export { settings } from "./settings.ts";
