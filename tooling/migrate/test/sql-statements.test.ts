import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitSqlStatements } from '../src/sql-statements.ts';

const texts = (sql: string): readonly string[] => splitSqlStatements(sql).map((statement) => statement.text);

describe('SQL is cut into statements', () => {
  test('at semicolons, without them', () => {
    expect(texts('select 1; select 2;\n')).toEqual(['select 1', 'select 2']);
  });

  test('and the last one needs none', () => {
    expect(texts('select 1; select 2')).toEqual(['select 1', 'select 2']);
  });

  test('but not inside of literals, quoted names and dollar quotes', () => {
    const parts = [
      "select ';'",
      "select 'it''s;'",
      "select e'\\';'",
      'select 1 as "a;""b"',
      'do $x$ begin; end; $x$',
      'do $$;$$',
    ];
    expect(texts(parts.join(';\n'))).toEqual(parts);
  });

  test('and a backslash ends nothing in a plain literal', () => {
    expect(texts("select '\\'; select 2")).toEqual(["select '\\'", 'select 2']);
  });

  test('but not inside of comments, nested ones too', () => {
    expect(texts('select 1 -- a; b\n; select /* ; /* ; */ ; */ 2')).toEqual([
      'select 1 -- a; b',
      'select /* ; /* ; */ ; */ 2',
    ]);
  });

  test('but not inside of parentheses', () => {
    expect(texts('create rule r as on insert to t do (select 1; select 2); select 3')).toHaveLength(2);
  });

  test('but not inside of the body of a begin atomic function, with a case in it', () => {
    const routine = `create or replace function f(a int) returns int language sql
begin atomic
  select 1;
  select case when a > 0 then 1 else 2 end;
end`;
    expect(texts(`${routine}; select 1;`)).toEqual([routine, 'select 1']);
  });

  test('and a dollar in a name or a parameter opens no dollar quote', () => {
    expect(texts('select a$b$c; select $1')).toEqual(['select a$b$c', 'select $1']);
  });

  test('and comments in front of a statement are left out', () => {
    expect(texts('-- first\n/* second */ select 1;\n-- nothing more\n')).toEqual(['select 1']);
  });

  test('and each knows its line', () => {
    const lines = splitSqlStatements('-- note\n\nselect 1;\nselect\n  2; select 3;').map((statement) => statement.line);
    expect(lines).toEqual([3, 4, 5]);
  });

  test('whatever the pieces are', () => {
    const piece = fc.constantFrom("'a;b'", '"c;d"', '$q$ ; $q$', '/* ; */', '(1; 2)', '1', 'x', "e'\\';'", '--;\n');
    const statement = fc.array(piece, { maxLength: 6 }).map((pieces) => `select ${pieces.join(' ')} z`);
    fc.assert(
      fc.property(fc.array(statement, { maxLength: 8 }), (statements) => {
        expect(texts(statements.map((text) => `${text};`).join('\n'))).toEqual(statements);
      }),
    );
  });
});
