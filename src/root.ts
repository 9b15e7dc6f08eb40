/**
 * The folder that holds `package.json`, `src` and `docs`: of the checkout, or of the published package, whose bundled modules
 * all lie directly in its `src`.
 */
export const root: URL = new URL("../", import.meta.url);
