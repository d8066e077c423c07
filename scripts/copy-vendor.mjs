// Copies what the pages and the PDF load as it is from the packages into static/vendor/.
import { copyFileSync, mkdirSync } from "node:fs";

mkdirSync("static/vendor/fonts", { recursive: true });
copyFileSync("node_modules/htmx.org/dist/htmx.min.js", "static/vendor/htmx.min.js");
const fonts = "node_modules/@expo-google-fonts/source-sans-3";
for (const [folder, file] of [
  ["400Regular", "SourceSans3_400Regular.ttf"],
  ["600SemiBold", "SourceSans3_600SemiBold.ttf"],
]) {
  copyFileSync(`${fonts}/${folder}/${file}`, `static/vendor/fonts/${file}`);
}
// for the PDFs alone: signs that Source Sans does not have (Arabic, Hebrew, symbols). No page loads them.
for (const file of ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf"]) {
  copyFileSync(`node_modules/dejavu-fonts-ttf/ttf/${file}`, `static/vendor/fonts/${file}`);
}
