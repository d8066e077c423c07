// What the pages and the service worker both know.
export const CACHE = "questionnaire-1";
export const PAGE = "/a/q";
export const inLanguage = (language) => `${PAGE}?language=${language}`;
