// Looks at reports as their readers do: `node check.mjs [--pictures DIR] REPORT.html…` (npm install here first; Chromium is
// `$CHROMIUM`, or /usr/bin/chromium). Every page must be valid HTML5, ask for nothing, open no dialog, run no script but its
// own, have no part wider than the window, and pass axe without a serious finding, light and dark, narrow and wide,
// with scripts off, and on paper. Exits 1 when one does not.
import { mkdirSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import axe from "axe-core";
import { HtmlValidate } from "html-validate";
import puppeteer from "puppeteer-core";

const VIEWS = [
  { name: "light", width: 1280, theme: "light" },
  { name: "dark", width: 1280, theme: "dark" },
  { name: "narrow", width: 400, theme: "light" },
  { name: "wide", width: 1600, theme: "dark" },
  { name: "no-scripts", width: 1280, theme: "light", scripts: false },
];

const words = process.argv.slice(2);
const at = words.indexOf("--pictures");
const pictures = at < 0 ? null : resolve(words.splice(at, 2)[1]);
if (words.length === 0) {
  console.error("usage: node check.mjs [--pictures DIR] REPORT.html…");
  process.exit(2);
}
if (pictures) mkdirSync(pictures, { recursive: true });

const problems = [];
const validator = new HtmlValidate({
  extends: ["html-validate:standard"],
  rules: {
    // Style, not validity: a page that is written by a program.
    "void-style": "off", "no-trailing-whitespace": "off", "long-title": "off", "no-inline-style": "off",
    "doctype-style": "off", "tel-non-breaking": "off", "no-redundant-role": "off",
    // A region that scrolls has to be reached with the keyboard.
    "prefer-native-element": "off",
    // Subresources: there are none.
    "require-sri": "off",
  },
});

async function look(browser, path, view, complain) {
  const page = await browser.newPage();
  await page.setJavaScriptEnabled(view.scripts !== false);
  await page.setViewport({ width: view.width, height: 900 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: view.theme }]);
  const address = pathToFileURL(path).href;
  page.on("request", request => { if (!request.url().startsWith(address)) complain(`asks for ${request.url().slice(0, 200)}`); });
  page.on("dialog", async dialog => { complain("opens a dialog"); await dialog.dismiss(); });
  page.on("console", message => { if (["error", "warn"].includes(message.type())) complain(`says ${message.text().slice(0, 300)}`); });
  page.on("pageerror", error => complain(`fails with ${error.message}`));
  await page.goto(address, { waitUntil: "load" });
  if (view.scripts !== false) {
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (wider > 0) complain(`is ${wider} pixels wider than its window`);
    const lacking = await page.evaluate(() =>
      [...document.querySelectorAll("a[href^='#']")].map(link => link.getAttribute("href").slice(1))
        .filter(id => !document.getElementById(id)));
    if (lacking.length) complain(`links to nothing: ${lacking.slice(0, 5)}`);
    // Every control does something without an error.
    await page.evaluate(() => {
      for (const button of [...document.querySelectorAll("th button, .zoom-bar button")].slice(0, 60)) button.click();
      const filter = document.querySelector("input.filter");
      if (filter) { filter.value = "zzz"; filter.dispatchEvent(new Event("input")); filter.value = ""; filter.dispatchEvent(new Event("input")); }
    });
  }
  if (pictures) {
    const name = `${basename(path, ".html")}-${view.name}`;
    await page.screenshot({ path: join(pictures, `${name}.png`) });
    if (view.name !== "wide") await page.screenshot({ path: join(pictures, `${name}-whole.png`), clip: { x: 0, y: 0, width: view.width, height: 7000 }, captureBeyondViewport: true });
    if (view.name === "light") await page.pdf({ path: join(pictures, `${basename(path, ".html")}.pdf`), preferCSSPageSize: true });
  }
  await page.close();
}

// The policy of the page lets no script in but its own, and so axe runs on a page whose policy is not asked.
async function accessible(browser, path, view, complain) {
  const page = await browser.newPage();
  await page.setBypassCSP(true);
  await page.setViewport({ width: view.width, height: 900 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: view.theme }]);
  await page.goto(pathToFileURL(path).href, { waitUntil: "load" });
  await page.evaluate(axe.source);
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  for (const violation of found.violations) {
    const where = violation.nodes.slice(0, 3).map(node => node.target.join(" ")).join("; ");
    const told = `axe: ${violation.impact} ${violation.id} at ${violation.nodes.length} places: ${where}`;
    if (["serious", "critical"].includes(violation.impact)) complain(told);
    else console.log(`${basename(path)} ${view.name}: ${told}`);
  }
  await page.close();
}

const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--allow-file-access-from-files"],
});
try {
  for (const word of words) {
    const path = resolve(word);
    const complain = view => problem => problems.push(`${basename(path)} ${view}: ${problem}`);
    const report = await validator.validateString(readFileSync(path, "utf8"), path);
    for (const result of report.results) for (const message of result.messages.slice(0, 20)) {
      complain("validator")(`line ${message.line}, column ${message.column}: ${message.message} (${message.ruleId})`);
    }
    for (const view of VIEWS) await look(browser, path, view, complain(view.name));
    for (const view of VIEWS.slice(0, 3)) await accessible(browser, path, view, complain(view.name));
  }
} finally {
  await browser.close();
}
for (const problem of [...new Set(problems)]) console.log(problem);
console.log(`${words.length} reports, ${problems.length} problems`);
process.exit(problems.length ? 1 : 0);
