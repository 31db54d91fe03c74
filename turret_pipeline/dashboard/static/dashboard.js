// Times in the zone of the viewer, with its name. Without this script they stay in UTC and say so.
"use strict";

function showTimesInZoneOfViewer(root) {
  const format = new Intl.DateTimeFormat("en-CA", {
    year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit",
    hourCycle: "h23", timeZoneName: "short",
  });
  for (const time of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    if (!Number.isNaN(moment.getTime())) {
      const parts = Object.fromEntries(format.formatToParts(moment).map((part) => [part.type, part.value]));
      time.title = time.textContent;
      time.textContent = `${parts.year}-${parts.month}-${parts.day} ${parts.hour}:${parts.minute} ${parts.timeZoneName}`;
    }
  }
}

document.addEventListener("DOMContentLoaded", () => showTimesInZoneOfViewer(document));
document.addEventListener("htmx:after:swap", (event) => showTimesInZoneOfViewer(event.target));
