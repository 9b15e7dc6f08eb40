import { checkWorlds } from "./worlds/check.ts";

checkWorlds("google");
