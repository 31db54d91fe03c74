// The map of topics. Without this script, the table below it has the same.
"use strict";

function drawTopicMap() {
  const figure = document.getElementById("topic-map");
  const data = document.getElementById("topic-map-data");
  if (!figure || !data || typeof echarts === "undefined") {
    return;
  }
  const points = JSON.parse(data.textContent);
  const largest = Math.max(1, ...points.map((point) => point.count || 0));
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  figure.hidden = false;
  const chart = echarts.init(figure, null, { renderer: "canvas" });
  const area = Math.min(1, figure.clientWidth / 900);
  chart.setOption({
    animation: false,
    grid: { left: 10, right: Math.min(130, figure.clientWidth / 4), top: 10, bottom: 10 },
    xAxis: { show: false, scale: true, min: -1.15, max: 1.15 },
    yAxis: { show: false, scale: true, min: -1.1, max: 1.1 },
    tooltip: {
      renderMode: "richText",
      formatter: (item) => `${item.data.name}\n${item.data.theme}\n${item.data.count ?? "–"}`,
    },
    series: [{
      type: "scatter",
      cursor: "pointer",
      data: points.map((point) => ({ ...point, value: [point.x, point.y] })),
      symbolSize: (value, item) => 8 + 46 * area * Math.sqrt((item.data.count || 0) / largest),
      itemStyle: { color: color("--a"), opacity: 0.55 },
      label: {
        show: true, position: "right", color: color("--text"), fontSize: 12, opacity: 1,
        formatter: (item) => item.data.name, width: 130, overflow: "truncate", minMargin: 6,
        textBorderColor: color("--page"), textBorderWidth: 2,
      },
      labelLayout: { hideOverlap: true },
      emphasis: { itemStyle: { opacity: 0.9 } },
    }],
  });
  chart.on("click", (item) => { window.location.href = item.data.url; });
  window.addEventListener("resize", () => chart.resize());
}

document.addEventListener("DOMContentLoaded", drawTopicMap);
