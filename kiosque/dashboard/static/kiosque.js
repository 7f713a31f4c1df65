// What a script adds to pages that are whole without it: charts that answer to a pointer, and a refresh that waits
// for its reader. Nothing here is needed to read, and nothing is loaded from elsewhere.
"use strict";

const drawn = new Map();

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Draw a figure's chart over its plain one; the data stand in its `data-chart`. */
function draw(figure) {
  const given = JSON.parse(figure.dataset.chart);
  const place = figure.querySelector(".drawn");
  const language = document.documentElement.lang;
  const hours = given.unit === "hour";
  const format = new Intl.DateTimeFormat(language, hours
    ? { hour: "2-digit", minute: "2-digit", hourCycle: "h23", day: "numeric", month: "short", timeZone: "UTC" }
    : { day: "numeric", month: "short", timeZone: "UTC" });
  const short = new Intl.DateTimeFormat(language, hours
    ? { hour: "2-digit", hourCycle: "h23", timeZone: "UTC" } : { day: "numeric", month: "short", timeZone: "UTC" });
  const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 },
    ticks: { stroke: colour("--line"), width: 1 } };
  const strokes = ["--accent", "--warn", "--good"].map(colour);
  const dashes = [[], [8, 4], [2, 3]]; // not by colour alone
  const step = given.times.length > 1 ? given.times[1] - given.times[0] : 3600;
  const isBars = given.kind === "bars";
  const options = {
    width: Math.max(200, place.clientWidth),
    height: 180,
    scales: { x: { time: false, range: (_, low, high) => [low - step / 2, high + step / 2] }, y: { range: (_, low, high) => [0, given.percent ? 100 : Math.max(high, 1)] } },
    cursor: { drag: { x: false, y: false } },
    axes: [
      { ...axis, values: (_, ticks) => ticks.map((at) => short.format(at * 1000)), incrs: hours
        ? [3600, 3 * 3600, 6 * 3600, 12 * 3600, 86400] : [86400, 7 * 86400, 14 * 86400] },
      { ...axis, incrs: [1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 1000, 5000, 10000] },
    ],
    series: [
      { label: given.time, value: (_, at) => (at == null ? "—" : format.format(at * 1000)) },
      ...given.series.map((one, i) => ({
        label: one.label,
        stroke: strokes[i],
        dash: dashes[i],
        width: isBars ? 0 : 2,
        fill: isBars ? strokes[i] : undefined,
        paths: isBars ? uPlot.paths.bars({ size: [0.8, 32] }) : undefined,
        points: { show: !isBars },
        value: (_, n) => (n == null ? "—" : `${n}${given.percent ? " %" : ""}`),
      })),
    ],
  };
  drawn.get(figure)?.destroy();
  const chart = new uPlot(options, [given.times, ...given.series.map((one) => one.values)], place);
  chart.root.setAttribute("aria-hidden", "true"); // the caption and the table say it
  drawn.set(figure, chart);
  figure.classList.add("live");
}

function drawAll() {
  for (const figure of drawn.keys()) {
    if (!figure.isConnected) {
      drawn.get(figure).destroy();
      drawn.delete(figure);
    }
  }
  document.querySelectorAll("figure[data-chart]").forEach(draw);
}

/** Tell whether a refresh would disturb: paused, unseen, or the reader's keyboard stands in what it replaces. */
function disturbs(part) {
  const pause = document.getElementById("pause");
  const open = part.querySelector("details[open]") !== null;
  return pause.getAttribute("aria-pressed") === "true" || document.hidden || open || part.contains(document.activeElement);
}

document.addEventListener("DOMContentLoaded", () => {
  drawAll();
  const controls = document.getElementById("live-controls");
  if (controls) {
    const pause = document.getElementById("pause");
    controls.hidden = false;
    pause.addEventListener("click", () => {
      pause.setAttribute("aria-pressed", String(pause.getAttribute("aria-pressed") !== "true"));
    });
  }
});
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target.id === "live" && disturbs(event.target)) {
    event.preventDefault();
  }
});
document.addEventListener("htmx:afterSettle", () => {
  const stale = document.getElementById("stale");
  if (stale) {
    stale.textContent = "";
  }
  drawAll();
});
for (const trouble of ["htmx:responseError", "htmx:sendError"]) {
  document.addEventListener(trouble, () => {
    const stale = document.getElementById("stale");
    if (stale) {
      stale.textContent = stale.dataset.said;
    }
  });
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
let resizing = 0;
addEventListener("resize", () => {
  cancelAnimationFrame(resizing);
  resizing = requestAnimationFrame(drawAll);
});
