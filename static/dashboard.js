// Draws each <figure data-chart> from the table that it names; without scripts the
// tables are all there is. The colours are those of the admin site's theme.

const charts = [];

function number(cell) {
  const data = cell.querySelector("data");
  const value = parseFloat(data ? data.value : cell.textContent);
  return Number.isNaN(value) ? null : value;
}

function draw(figure) {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const table = document.getElementById(figure.dataset.table);
  const heads = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
  const rows = [...table.tBodies[0].rows];
  const lines = [colour("--chart-1"), colour("--chart-2")];
  const isBar = figure.dataset.chart === "bar";
  const canvas = document.createElement("canvas");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", figure.dataset.label);
  figure.replaceChildren(canvas);
  const axis = {
    ticks: { color: colour("--body-quiet-color") },
    grid: { color: colour("--hairline-color") },
  };
  const amounts = { ...axis, beginAtZero: true, ticks: { ...axis.ticks, precision: 0 } };
  charts.push(new Chart(canvas, {
    type: figure.dataset.chart,
    data: {
      labels: rows.map((row) => row.cells[0].textContent),
      datasets: figure.dataset.columns.split(",").map((column, i) => ({
        label: heads[column],
        data: rows.map((row) => number(row.cells[column])),
        borderColor: lines[i],
        backgroundColor: lines[i],
        borderWidth: isBar ? 0 : 2,
        // The last day is not over.
        segment: { borderDash: (line) => line.p1DataIndex === rows.length - 1 ? [4, 4] : undefined },
        pointStyle: i ? "rectRot" : "circle",
        pointRadius: i ? 4 : 2,
      })),
    },
    options: {
      animation: false,
      indexAxis: isBar ? "y" : "x",
      maintainAspectRatio: false,
      plugins: { legend: { labels: { color: colour("--body-fg"), boxHeight: 2 } } },
      scales: isBar ? { x: amounts, y: axis } : { x: axis, y: amounts },
    },
  }));
}

function drawAll() {
  while (charts.length) charts.pop().destroy();
  document.querySelectorAll("figure[data-chart]").forEach(draw);
}

drawAll();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
new MutationObserver(drawAll).observe(document.documentElement, {
  attributeFilter: ["data-theme"],
});
