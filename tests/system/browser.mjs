// Opens reports in a real browser and says what it saw, as JSON on standard output.
//
//   node browser.mjs CHROMIUM REPORT.html [FOLDER]
//
// For each page, in light and dark: violations of WCAG A and AA that axe finds. Then whether anything was asked of the network, what the console said
// (breaches of the policy are told there), whether text of the repository ran as a script, how long it took to open, and whether the
// keyboard reaches everything. With FOLDER a screenshot of each page is put there. With HEADWATER_SYSTEM_AXE=off axe is not asked: it takes
// minutes for thousands of elements.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { createRequire } from "node:module";

const require = createRequire(`${process.env.HEADWATER_SYSTEM_NODE ?? process.cwd()}/`);
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf-8");
const [executablePath, report, folder] = process.argv.slice(2);
const address = pathToFileURL(report).href;
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
const seen = { axe: [], requests: [], console: [], ran: false, milliseconds: 0, keyboard: {}, noscript: {} };

async function open(options) {
  const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, ...options });
  const page = await context.newPage();
  page.on("request", (request) => request.url().split("#")[0] === address || seen.requests.push(request.url()));
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && seen.console.push(message.text()));
  page.on("pageerror", (error) => seen.console.push(String(error)));
  page.on("dialog", (dialog) => ((seen.ran = true), dialog.dismiss()));
  return page;
}

// The first run of a browser reads itself from the disk: the second one is timed.
for (let run = 0; run < 2; run++) {
  const page = await open({});
  const begin = performance.now();
  await page.goto(address, { waitUntil: "load" });
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  seen.milliseconds = Math.round(performance.now() - begin);
  await page.context().close();
}

for (const colorScheme of ["light", "dark"]) {
  const page = await open({ colorScheme });
  await page.goto(address);
  const names = await page.$$eval("[data-page]", (links) => links.map((link) => link.dataset.page));
  for (const name of names) {
    await page.click(`[data-page=${name}]`);
    await page.waitForFunction((id) => document.getElementById(id).classList.contains("current"), name);
    if (folder) await page.screenshot({ path: `${folder}/${name}${colorScheme === "dark" ? "-dark" : ""}.png` });
    if (process.env.HEADWATER_SYSTEM_AXE === "off") continue;
    // The tool is put in by the debugger, which the policy of the page does not concern.
    await page.evaluate(axe);
    const result = await page.evaluate(() => axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }));
    for (const one of result.violations) {
      seen.axe.push({ page: name, colorScheme, id: one.id, nodes: one.nodes.slice(0, 3).map((node) => `${node.html.slice(0, 200)} ${node.failureSummary}`) });
    }
  }
  seen.ran ||= await page.evaluate(() => Boolean(window.ran));
  await page.context().close();
}

// Keyboard: the first stop skips the navigation, Enter on a link of it opens the page, the switch and a search work.
{
  const page = await open({ colorScheme: "light" });
  await page.goto(address);
  await page.keyboard.press("Tab");
  seen.keyboard.skip = await page.evaluate(() => document.activeElement.className);
  await page.focus("[data-page=map]");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#map.current");
  seen.keyboard.heading = await page.evaluate(() => document.activeElement.textContent);
  await page.focus("#theme");
  await page.keyboard.press("Enter");
  seen.keyboard.theme = await page.evaluate(() => document.documentElement.dataset.theme);
  if (await page.$("#components-search")) {
    await page.focus("#components-search");
    await page.keyboard.type("zzz-no-such-component");
    seen.keyboard.count = await page.textContent("#components-count");
    await page.fill("#components-search", "");
    await page.focus("#picture .node");
    seen.keyboard.marked = await page.$$eval("#picture .on", (all) => all.length);
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.activeElement.tagName === "TR");
    seen.keyboard.row = await page.evaluate(() => document.activeElement.id === location.hash.slice(1));
  }
  if (await page.$("#list-search")) {
    await page.click("[data-page=findings]");
    const count = () => page.$$eval("#list > article:not([hidden])", (all) => all.length);
    seen.keyboard.all = await count();
    const word = await page.$eval("[data-severity][type=checkbox]", (box) => box.dataset.severity);
    await page.focus("[data-severity][type=checkbox]");
    await page.keyboard.press("Space");
    seen.keyboard.without = await count();
    seen.keyboard.worst = await page.$$eval(`#list > article[data-severity=${word}]`, (all) => all.length);
  }
  await page.context().close();
}

// Without scripts, as on paper, everything is there.
{
  const page = await open({ javaScriptEnabled: false });
  await page.goto(address);
  const locator = page.locator(".page");
  seen.noscript.pages = await locator.count();
  seen.noscript.visible = 0;
  for (let number = 0; number < seen.noscript.pages; number++) seen.noscript.visible += await locator.nth(number).isVisible();
  await page.context().close();
}

await browser.close();
console.log(JSON.stringify(seen));
