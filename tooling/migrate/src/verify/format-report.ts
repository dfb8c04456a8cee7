import type { VerifyReport } from './verify.ts';

const longest = 160;

/** One line a rule (those that hold are left out on request), its findings below it, and a sum as the last line. */
export function formatVerifyReport(
  report: VerifyReport,
  options: { readonly holding: boolean } = { holding: true },
): string[] {
  const width = Math.max(0, ...report.rules.map(({ name }) => name.length));
  const lines = report.rules.flatMap(({ name, protects, findings }) =>
    findings.length === 0
      ? options.holding
        ? [`ok      ${name}`]
        : []
      : [
          `BROKEN  ${name.padEnd(width)}  ${protects}`,
          ...findings.map(({ object, message }) => `          ${shorten(object)}: ${message}`),
        ],
  );
  const broken = report.rules.filter(({ findings }) => findings.length > 0).length;
  const holding = report.rules.length - broken;
  const sum = `${holding} rules hold, ${broken} broken: ${report.tables} tables in ${report.database}, as ${report.login}, ${Math.round(report.durationMs)} ms.`;
  return [...lines, sum];
}

/** A line of the listing may be a whole function. */
function shorten(object: string): string {
  return object.length <= longest ? object : `${object.slice(0, longest)}…`;
}
