import { writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

import { format } from "oxfmt";

import { SERVER_TABLE } from "../src/telemetry/tables/server.ts";
import { RUNNER_TABLE } from "../src/telemetry/tables/runner.ts";
import { prometheusName, type Spec } from "../src/telemetry/tables/spec.ts";
import { type Panel, ROWS } from "./dashboard/panels.ts";

const FILE = new URL("../deploy/grafana/millrace.json", import.meta.url);

/** Of Grafana 12 and later, the last of this kind; older ones read it, too. */
const SCHEMA_VERSION = 42;
const COLUMNS = 24;
const DATASOURCE = { type: "prometheus", uid: "${datasource}" } as const;

const thresholdsOf = ({ stat }: Panel): object => ({
  mode: "absolute",
  steps: [
    { color: "green", value: null },
    ...(stat === undefined || stat === null
      ? []
      : [
          { color: "orange", value: stat[0] },
          { color: "red", value: stat[1] },
        ]),
  ],
});

const lines = ({ stacked }: Panel): object => ({
  drawStyle: "line",
  fillOpacity: stacked === true ? 30 : 0,
  lineWidth: 1,
  showPoints: "never",
  stacking: { mode: stacked === true ? "normal" : "none", group: "A" },
});

const panelOf = (panel: Panel, id: number, gridPos: object): object => ({
  id,
  type: panel.stat === undefined ? "timeseries" : "stat",
  title: panel.title,
  gridPos,
  datasource: DATASOURCE,
  fieldConfig: {
    defaults: {
      unit: panel.unit,
      min: 0,
      thresholds: thresholdsOf(panel),
      ...(panel.stat === undefined ? { custom: lines(panel) } : {}),
    },
    overrides: [],
  },
  options:
    panel.stat === undefined
      ? {
          legend: { calcs: [], displayMode: "list", placement: "bottom", showLegend: true },
          tooltip: { mode: "multi", sort: "desc" },
        }
      : {
          colorMode: "value",
          graphMode: "area",
          justifyMode: "auto",
          orientation: "auto",
          percentChangeColorMode: "standard",
          reduceOptions: { calcs: ["lastNotNull"], fields: "", values: false },
          showPercentChange: false,
          textMode: "auto",
          wideLayout: true,
        },
  targets: panel.queries.map(({ expression, legend }, index) => ({
    refId: String.fromCodePoint(65 + index),
    datasource: DATASOURCE,
    editorMode: "code",
    expr: expression,
    legendFormat: legend,
    range: true,
  })),
});

/** Panels of a row side by side: six numbers, or three graphs. */
const place = (): object[] => {
  const placed: object[] = [];
  let y = 0;
  for (const { title, panels } of ROWS) {
    const row = { h: 1, w: COLUMNS, x: 0, y };
    placed.push({
      id: placed.length + 1,
      type: "row",
      title,
      collapsed: false,
      gridPos: row,
      panels: [],
    });
    y += 1;
    const [w, h] = panels.some(({ stat }) => stat !== undefined) ? [4, 4] : [8, 7];
    for (const [index, panel] of panels.entries()) {
      const x = (index * w) % COLUMNS;
      const at = { h, w, x, y: y + Math.floor((index * w) / COLUMNS) * h };
      placed.push(panelOf(panel, placed.length + 1, at));
    }
    y += Math.ceil((panels.length * w) / COLUMNS) * h;
  }
  return placed;
};

/** All instances that have a series of this. */
const instances = (name: string, label: string, spec: Spec): object => {
  const query = `label_values(${prometheusName(spec)}, instance)`;
  return {
    name,
    label,
    type: "query",
    datasource: DATASOURCE,
    definition: query,
    query: { qryType: 1, query, refId: "PrometheusVariableQueryEditor-VariableQuery" },
    multi: true,
    includeAll: true,
    allValue: ".*",
    current: { selected: true, text: ["All"], value: ["$__all"] },
    refresh: 2,
    sort: 1,
    hide: 0,
    options: [],
    regex: "",
    skipUrlSync: false,
  };
};

/** deploy/grafana/millrace.json */
export const renderDashboard = async (): Promise<string> => {
  const { code } = await format("millrace.json", JSON.stringify(dashboard()), { printWidth: 100 });
  return code;
};

const dashboard = (): object => ({
  uid: "millrace",
  title: "Millrace",
  description: "Made by `node scripts/render-dashboard.ts` from the tables of instruments.",
  tags: ["millrace"],
  schemaVersion: SCHEMA_VERSION,
  version: 1,
  editable: true,
  graphTooltip: 1,
  refresh: "30s",
  time: { from: "now-6h", to: "now" },
  timepicker: {},
  timezone: "",
  weekStart: "",
  fiscalYearStartMonth: 0,
  links: [],
  annotations: { list: [] },
  templating: {
    list: [
      {
        name: "datasource",
        label: "Prometheus",
        type: "datasource",
        query: "prometheus",
        current: {},
        hide: 0,
        includeAll: false,
        multi: false,
        options: [],
        refresh: 1,
        regex: "",
        skipUrlSync: false,
      },
      instances("server", "Servers", SERVER_TABLE.queueAge),
      instances("runner", "Runners", RUNNER_TABLE.slots),
    ],
  },
  panels: place(),
});

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  writeFileSync(FILE, await renderDashboard());
}
