// What the pages and the service worker both know. A response's pages stand below its handle (surveys/answering/handles.py), and all
// addresses in them are relative to that; below /a/ itself stand those of releases before, with the same names.
export const CACHE = "questionnaire-1";
export const ROOT = "/a/";
export const PAGE = `${ROOT}q`; // under which the worker keeps the empty page
export const inLanguage = (language) => `${PAGE}?language=${language}`;
// of a response; the page of a personal link (…/l) has one of its own, which belongs to no draft
export const handleIn = (path) => (path.match(/^\/a\/([\w-]{16})\/(?!l$)/) || ["", ""])[1];
export const pagesOf = (handle) => (handle ? `${ROOT}${handle}/` : ROOT);
