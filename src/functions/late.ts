export { checkCaller } from "./caller.ts";
export { deployment } from "./deployment.ts";
export { settings } from "./settings.ts";
