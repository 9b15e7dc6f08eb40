import { config } from "zod";

/**
 * Has zod check as it goes instead of writing itself a program for each schema: that pays after thousands of answers,
 * and a function reads a few dozen before it rests again. Called before any schema is made, which is where zod decides.
 */
export const lean = (): void => void config({ jitless: true });
