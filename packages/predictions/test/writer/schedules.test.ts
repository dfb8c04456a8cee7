import { DomainError } from '@mcp-hub/db-core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createWriter, type WriteRows } from '../../src/writer/create-writer.ts';
import { testTimer } from '../support/writer-world.ts';

// The writer over a ledger that fails in all ways, beside a plain account of what was given and what became of it.

/** What an attempt comes to, if no row of it is bad. */
type Answer = 'written' | 'away before' | 'away after' | 'busy';
interface Given {
  readonly kind: 'enqueue' | 'record';
  readonly quality: 'good' | 'named' | 'unnamed' | 'version';
  readonly size: number;
}
type Step = Given | { readonly kind: 'flush' | 'time' | 'turn' | 'leave'; readonly quality: undefined };

const step = fc.oneof(
  fc.record({
    kind: fc.constantFrom('enqueue' as const, 'record' as const),
    quality: fc.constantFrom('good' as const, 'good', 'good', 'good', 'named', 'unnamed', 'version'),
    size: fc.integer({ min: 0, max: 3_000 }),
  }),
  fc.record({
    kind: fc.constantFrom('flush' as const, 'time', 'turn', 'turn', 'leave'),
    quality: fc.constant(undefined),
  }),
) satisfies fc.Arbitrary<Step>;
const answer = fc.constantFrom<Answer>('written', 'written', 'written', 'away before', 'away after', 'busy');
const bounds = fc.record({
  maxRows: fc.integer({ min: 1, max: 12 }),
  maxBytes: fc.integer({ min: 500, max: 9_000 }),
  flushRows: fc.integer({ min: 1, max: 8 }),
  flushBytes: fc.integer({ min: 500, max: 20_000 }),
});

const CLOSE_MS = 3_600_000;
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const away = new DomainError('unavailable', 'away');
const bad = new DomainError('invalid_input', 'bad');

it('settles each prediction in one way, whatever happens in whatever order', async () => {
  await fc.assert(
    fc.asyncProperty(
      bounds,
      fc.array(step, { maxLength: 60 }),
      fc.array(answer, { maxLength: 20 }),
      fc.boolean(),
      async (limits, steps, answers, isAwayAtTheEnd) => {
        const ledger = new Map<string, number>();
        const timer = testTimer();
        let attempts = 0;
        let isClosing = false;
        const write: WriteRows = async (rows) => {
          await turn();
          const subjects = rows.map(({ prediction }) => prediction.subject ?? '');
          const missing = rows.filter(({ subject }) => subject.version === 'none');
          if (missing.length > 0) return { kind: 'refused', rows: missing, error: bad };
          const named = rows.filter((_, index) => subjects[index]?.startsWith('named'));
          if (named[0] !== undefined) return { kind: 'refused', rows: [named[0]], error: bad };
          if (subjects.some((subject) => subject.startsWith('unnamed'))) {
            return rows.length > 1 ? { kind: 'bad within', rows, error: bad } : { kind: 'refused', rows, error: bad };
          }
          const how = isClosing && isAwayAtTheEnd ? 'away before' : (answers[attempts] ?? 'written');
          attempts += 1;
          if (how === 'away before') return { kind: 'again', error: away };
          if (how === 'busy') return { kind: 'again', error: new DomainError('conflict', 'busy') };
          // As ON CONFLICT DO NOTHING.
          for (const { id, number } of rows) if (!ledger.has(id)) ledger.set(id, number);
          return how === 'away after' ? { kind: 'again', error: away } : { kind: 'written', versionIds: new Map() };
        };

        const account = new Map<string, string>();
        const ids = new Map<string, string>();
        const note = (subject: string, what: string) => {
          if (account.has(subject)) throw new Error(`${subject} is ${account.get(subject)} and ${what}`);
          account.set(subject, what);
        };
        const rejected = new Set<string>();
        const writer = createWriter(
          {
            ...limits,
            after: timer.after,
            onRejected: ({ prediction }) => {
              rejected.add(prediction.subject ?? '');
              ids.set(prediction.subject ?? '', prediction.id);
            },
          },
          write,
        );
        const enqueued = new Set<string>();
        const pending: Promise<unknown>[] = [];
        let leaving = new AbortController();
        const give = (one: Given, n: number) => {
          const subject = `${one.quality} ${n}`;
          const version = one.quality === 'version' ? 'none' : '1';
          const given = { name: 'm', version, subject, output: 'x'.repeat(one.size) };
          const { signal } = leaving;
          if (one.kind === 'enqueue') {
            pending.push(
              writer.enqueue(given, { signal }).then(
                (id) => {
                  ids.set(subject, id);
                  return void enqueued.add(subject);
                },
                (error: unknown) => note(subject, error instanceof DomainError ? 'not taken' : 'left'),
              ),
            );
          } else {
            pending.push(
              writer.record(given, { signal }).then(
                ({ id }) => {
                  expect(ledger.has(id)).toBe(true);
                  ids.set(subject, id);
                  return note(subject, 'acknowledged');
                },
                (error: unknown) => {
                  if (error === bad) note(subject, 'rejected');
                  else note(subject, error instanceof DomainError ? 'handed back' : 'left');
                },
              ),
            );
          }
        };
        for (const [n, one] of steps.entries()) {
          if (one.quality !== undefined) give(one, n);
          else if (one.kind === 'turn') await turn();
          else if (one.kind === 'time') {
            if (timer.waits().length > 0) timer.fire();
          } else if (one.kind === 'leave') {
            leaving.abort(new Error('left'));
            leaving = new AbortController();
          } else {
            const before = [...enqueued];
            const settledBefore = () =>
              before.every((subject) => rejected.has(subject) || [...ledger.keys()].includes(ids.get(subject) ?? ''));
            pending.push(writer.flush().then(() => isClosing || expect(settledBefore()).toBe(true)));
          }
          const { rows, bytes } = writer.backlog();
          expect(rows === 1 || (rows <= limits.maxRows && bytes <= limits.maxBytes)).toBe(true);
        }

        isClosing = true;
        const closing = writer.close({ timeoutMs: CLOSE_MS });
        let isClosed = false;
        const closed = closing.finally(() => {
          isClosed = true;
        });
        for (let turns = 0; !isClosed; turns += 1) {
          await turn();
          // Pauses end at once, and the time of close where the ledger stays away.
          const isLate = turns > 100 && isAwayAtTheEnd;
          while (timer.waits().some((ms) => isLate || ms < CLOSE_MS)) timer.fire();
        }
        const handedBack = await closed;
        await Promise.all(pending);

        const back = new Set(handedBack.map(({ subject }) => subject ?? ''));
        expect(back.size).toBe(handedBack.length);
        if (!isAwayAtTheEnd) expect(handedBack).toEqual([]);
        for (const one of handedBack) {
          const known = ids.get(one.subject ?? '');
          if (known !== undefined) expect(one.id).toBe(known);
        }
        const stored = new Set(ledger.keys());
        for (const subject of enqueued) {
          const isThere = stored.has(ids.get(subject) ?? '');
          // Each in one way; one that is handed back may be there, by a commit that was not answered.
          expect([subject, Number(rejected.has(subject)) + Number(back.has(subject) || isThere)]).toEqual([subject, 1]);
        }
        for (const [subject, what] of account) {
          if (what === 'acknowledged') expect([subject, back.has(subject)]).toEqual([subject, false]);
          if (what === 'handed back' || what === 'not taken')
            expect([subject, back.has(subject)]).toEqual([subject, true]);
          if (what === 'acknowledged') expect(subject).toMatch(/^good/);
          if (what === 'rejected') expect(subject).not.toMatch(/^good/);
        }
        for (const subject of rejected) expect(subject).not.toMatch(/^good/);
        expect(writer.backlog()).toEqual({ rows: 0, bytes: 0 });
        // Good ones are written in the order of the calls, where no answer was lost on the way.
        const order = [...ledger.values()];
        expect(order).toEqual(order.toSorted((one, other) => one - other));
      },
    ),
    { numRuns: 400 },
  );
}, 120_000);
