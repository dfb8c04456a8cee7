import {
  actorColumn,
  createdAtColumn,
  idColumn,
  jsonColumn,
  stateColumn,
  tenantTable,
  timeColumn,
} from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { text, uuid } from 'drizzle-orm/pg-core';
import type { Matcher } from './matcher.ts';

/** Alerts that nobody is told of for a time. Their states go on. */
export const alertSilences = tenantTable(
  'alert_silences',
  {
    id: idColumn<'AlertSilence'>(),
    /** An alert that all of these match is silenced. */
    matchers: jsonColumn<readonly Matcher[]>('matchers').notNull(),
    startsAt: timeColumn('starts_at').notNull(),
    /** Not included; earlier than it was made with where it was ended. */
    endsAt: timeColumn('ends_at').notNull(),
    comment: text('comment'),
    actor: actorColumn(),
    createdAt: createdAtColumn(),
  },
  (t, constraint) => [
    constraint.primaryKey(t.id),
    constraint.check('times', sql`${t.endsAt} >= ${t.startsAt} and isfinite(${t.endsAt})`),
    // Evaluation: those that are not over. Lists: by their ends.
    constraint.index('ends', [t.endsAt, t.id]),
  ],
);

/** Alerts that nobody is told of while certain others fire. */
export const alertInhibitions = tenantTable(
  'alert_inhibitions',
  {
    id: idColumn<'AlertInhibition'>(),
    name: text('name').notNull(),
    /** While an alert that all of these match fires … */
    sourceMatchers: jsonColumn<readonly Matcher[]>('source_matchers').notNull(),
    /** … nobody is told of those that all of these match … */
    targetMatchers: jsonColumn<readonly Matcher[]>('target_matchers').notNull(),
    /** … and that have the same values under these labels. */
    equal: text('equal').array().notNull(),
    actor: actorColumn(),
    createdAt: createdAtColumn(),
  },
  (t, constraint) => [constraint.primaryKey(t.id), constraint.unique('name', t.name)],
);

export const settingSubjects = ['silence', 'inhibition', 'channel'] as const;
export const settingChanges = ['created', 'changed', 'expired', 'removed'] as const;

/** Who made, changed and ended silences, inhibitions and channels. Refers to nothing. */
export const alertSettingEvents = tenantTable(
  'alert_setting_events',
  {
    id: idColumn<'AlertSettingEvent'>(),
    subject: stateColumn('subject', settingSubjects).notNull(),
    subjectId: uuid('subject_id').notNull(),
    kind: stateColumn('kind', settingChanges).notNull(),
    /** What it was from then on, but for secrets and what stands behind the host of an address. */
    facts: jsonColumn<Readonly<Record<string, unknown>>>('facts').notNull(),
    actor: actorColumn(),
    at: createdAtColumn('at'),
  },
  (t, constraint) => [
    constraint.primaryKey(t.id),
    constraint.oneOf('subject', t.subject, settingSubjects),
    constraint.oneOf('kind', t.kind, settingChanges),
    // The history of one.
    constraint.index('subject', [t.subjectId, t.id]),
  ],
  { appendOnly: true },
);
