// The flow of sessions as a Sankey diagram, and transitions as a graph. The tables of the page have the same figures.
"use strict";

function readColors() {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(["page", "text", "soft", "line", "a", "b", "muted", "card"].map(
    (name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

function draw(id, makeOption) {
  const place = document.getElementById(id);
  const data = document.getElementById(`${id}-data`);
  if (!place || !data) return;
  const content = JSON.parse(data.textContent);
  place.hidden = false;
  const chart = echarts.init(place, null, { renderer: "canvas" });
  const show = () => chart.setOption(makeOption(content, readColors(), place.clientWidth), true);
  show();
  chart.on("click", (event) => { if (event.data.url) window.location.assign(event.data.url); });
  new ResizeObserver(() => { chart.resize(); show(); }).observe(place);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
}

function tooltip(colors) {
  return {
    renderMode: "richText", confine: true, backgroundColor: colors.card, borderColor: colors.line,
    textStyle: { color: colors.text }, formatter: (event) => event.data.text,
  };
}

function makeSankey(content, colors, width) {
  const layers = 1 + Math.max(...content.nodes.map((node) => node.depth));
  const room = Math.max(40, width / layers - 30);
  const fill = { middle: colors.b, pseudo: colors.muted, node: colors.a };
  return {
    animation: false, tooltip: tooltip(colors),
    series: [{
      type: "sankey", left: 4, right: room, top: 8, bottom: 8, nodeWidth: 10, nodeGap: 10, draggable: false,
      layoutIterations: 32, emphasis: { focus: "adjacency" },
      lineStyle: { color: "source", opacity: 0.3, curveness: 0.5 },
      label: {
        color: colors.text, fontSize: 12, width: room, overflow: "truncate", formatter: (event) => event.data.label,
        textBorderColor: colors.page, textBorderWidth: 3,
      },
      data: content.nodes.map((node) => ({ ...node, itemStyle: { color: fill[node.kind] } })),
      links: content.links,
    }],
  };
}

function makeGraph(content, colors) {
  const largest = Math.max(...content.nodes.map((node) => node.size));
  const widest = Math.max(...content.links.map((link) => link.size));
  return {
    animation: false, tooltip: tooltip(colors),
    series: [{
      type: "graph", layout: "circular", roam: false, left: 150, right: 150, top: 150, bottom: 150,
      circular: { rotateLabel: true }, edgeSymbol: ["none", "arrow"], edgeSymbolSize: 7,
      emphasis: { focus: "adjacency" },
      label: {
        show: true, color: colors.text, fontSize: 12, width: 130, overflow: "truncate",
        formatter: (event) => event.data.label,
      },
      lineStyle: { color: colors.muted, curveness: 0.2 },
      data: content.nodes.map((node) => ({
        ...node, symbolSize: 8 + 22 * Math.sqrt(node.size / largest), itemStyle: { color: colors.a },
      })),
      links: content.links.map((link) => ({
        ...link, lineStyle: { width: 1 + 5 * link.size / widest, opacity: 0.35 + 0.5 * link.size / widest },
      })),
    }],
  };
}

document.addEventListener("DOMContentLoaded", () => {
  draw("sankey", makeSankey);
  draw("graph", makeGraph);
});
