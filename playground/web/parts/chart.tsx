import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";

/** One line of a chart. */
export interface Line {
  readonly label: string;
  /** A custom property of the page, such as `--accent`. */
  readonly colour: string;
  readonly isDashed?: boolean;
}

interface ChartProps {
  readonly lines: readonly Line[];
  /** Instants in seconds, then the values of each line. */
  readonly data: uPlot.AlignedData;
  /** The same in words, for whoever does not see it. */
  readonly description: string;
  /** Writes a value of the axis. */
  readonly format: (value: number) => string;
}

const HEIGHT = 150;

/** Lines over the last minute. It is drawn anew when the colours of the page change. */
export function Chart({ lines, data, description, format }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const latest = useRef(data);
  latest.current = data;

  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const draw = (): void => {
      plot.current?.destroy();
      plot.current = new uPlot(optionsOf(lines, format, element), latest.current, element);
    };
    draw();
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", draw);
    const resized = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }));
    resized.observe(element);
    return () => {
      scheme.removeEventListener("change", draw);
      resized.disconnect();
      plot.current?.destroy();
    };
  }, []);
  useEffect(() => plot.current?.setData(data), [data]);

  return (
    <figure class="chart">
      <div ref={place} aria-hidden="true" />
      <figcaption>
        {lines.map(({ label, colour, isDashed }) => (
          <span key={label} class={isDashed ? "key dashed" : "key"} data-colour={colour}>
            {label}
          </span>
        ))}
        <span class="now">{description}</span>
      </figcaption>
    </figure>
  );
}

function optionsOf(lines: readonly Line[], format: (value: number) => string, element: HTMLElement): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (property: string): string => style.getPropertyValue(property).trim();
  const axis = {
    stroke: colour("--muted"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
    font: "11px system-ui, sans-serif",
  };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: { y: { range: (_plot, _min, max) => [0, niceTop(max)] } },
    axes: [
      {
        ...axis,
        values: (_plot, ticks) =>
          ticks.map((tick) => new Date(tick * 1_000).toLocaleTimeString(undefined, { hour12: false })),
        space: 90,
        size: 28,
      },
      { ...axis, values: (_plot, ticks) => ticks.map(format), size: 58 },
    ],
    series: [
      {},
      ...lines.map((line) => ({
        label: line.label,
        stroke: colour(line.colour),
        width: 2,
        spanGaps: true,
        points: { show: false },
        ...(line.isDashed === true ? { dash: [5, 4] } : {}),
      })),
    ],
  };
}

/** So that an empty chart has a scale, and a line does not touch the edge. */
function niceTop(max: number | null): number {
  return max === null || max < 10 ? 10 : max * 1.1;
}
