/** The encoding of a position in time, UTC, with labels of as much as tells two of them apart. Times are milliseconds since 1970. */
export function timeAxis([first, last]: readonly [number, number], title: string | null, tickCount = 6) {
  const hours = (last - first) / 3_600_000;
  const format =
    hours > 96 ? '%Y-%m-%d' : hours > 2 ? '%m-%d %H:%M' : last - first > 10_000 ? '%H:%M:%S' : '%H:%M:%S.%L';
  return {
    type: 'temporal',
    scale: { type: 'utc', domainMin: first, domainMax: last, nice: false },
    axis: { title, tickCount, format, labelOverlap: true },
  };
}
