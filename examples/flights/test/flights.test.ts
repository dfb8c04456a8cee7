import { fileURLToPath } from 'node:url';
import { useTestDatabase } from '@mcp-hub/testing';
import { describe, expect, it } from 'vitest';
import { flightsOf, loadFlights } from '../src/flights.ts';
import { fitLateArrivalModels } from '../src/late-arrival-models.ts';
import { isLocalServer } from '../src/local-server.ts';
import { runProgram } from './run-program.ts';

const database = useTestDatabase();
const program = fileURLToPath(new URL('../src/main.ts', import.meta.url));

describe('the flights example', () => {
  it('takes both tenants through the registry, and finds what is there when it is run again', async () => {
    const environment = { POSTGRES_SERVICE_URL: database.serviceUrl };
    const first = await runProgram(program, [], environment);
    expect(first).toMatchObject({ code: 0 });
    expect(first.output.match(/registered late-arrival\/[12]/g)).toHaveLength(4);
    expect(first.output).toContain('late-arrival:production is version 2');
    expect(first.output).toContain('tenant coast sees its own 2 versions and none of the 2 of heartland');
    const second = await runProgram(program, [], environment);
    expect(second).toMatchObject({ code: 0 });
    expect(second.output.replaceAll('was there ', 'registered')).toBe(first.output);
  });

  it('refuses a server of another machine, unless told otherwise', async () => {
    const remote = await runProgram(program, [], { POSTGRES_SERVICE_URL: 'postgresql://u:p@db.example.org/x' });
    expect(remote).toMatchObject({ code: 2, output: expect.stringContaining('--allow-remote') });
    expect(['localhost', '127.0.0.1', '[::1]'].map((host) => isLocalServer(`postgresql://u:p@${host}:1/x`))).toEqual([
      true,
      true,
      true,
    ]);
  });

  it('fits the same bytes each time, and the second version beats the first on days it has not seen', () => {
    const flights = flightsOf(loadFlights(), 'coast');
    const [first, second] = fitLateArrivalModels(flights);
    expect(fitLateArrivalModels(flights).map(({ digest }) => digest)).toEqual([first?.digest, second?.digest]);
    expect(first?.heldBackAuc).toBeGreaterThan(0.55);
    expect(second?.heldBackAuc).toBeGreaterThan(first?.heldBackAuc ?? 1);
  });
});
