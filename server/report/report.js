// Arrow keys step through the points of a plot; what is there is written below it, and read out.
for (const plot of document.querySelectorAll(".plot")) {
  const points = [...plot.querySelectorAll("circle")];
  const readout = plot.querySelector(".readout");
  let at = -1;
  const show = (next) => {
    points[at]?.classList.remove("here");
    at = Math.min(points.length - 1, Math.max(0, next));
    points[at].classList.add("here");
    readout.textContent = points[at].textContent;
  };
  const keys = { ArrowRight: () => at + 1, ArrowLeft: () => at - 1, Home: () => 0, End: () => points.length - 1 };
  plot.querySelector("svg").addEventListener("keydown", (event) => {
    if (!keys[event.key] || !points.length) return;
    event.preventDefault();
    show(keys[event.key]());
  });
  points.forEach((point, index) => point.addEventListener("pointerenter", () => show(index)));
}
