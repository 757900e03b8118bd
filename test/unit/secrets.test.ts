import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutMark, KnownSecrets, maskOf, secretsOf, secretsOfBroken } from '../../src/secrets.js';

describe('maskOf', () => {
  test('no secret is left in any text, whatever it holds', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 4 })), fc.array(fc.string()), (secrets, parts) => {
        const text = parts.flatMap((part, n) => [part, secrets[n] ?? '']).join('');
        const masked = maskOf(secrets)(text);
        for (const secret of secrets) if (!secret.includes('•')) expect(masked.includes(secret)).toBe(false);
      }),
    );
  });

  test.each([
    ['colours', 'x \x1b[31mhunter2\x1b[0mhunter2 y', 'x •••• y'],
    ['a zero', 'hunter2\0hunter2', '••••'],
  ])('with %s between its letters it is hidden too', (_, text, expected) => {
    expect(maskOf(['hunter2hunter2'])(text)).toBe(expected);
  });

  test('what is left of one where a line was cut is hidden', () => {
    expect(maskOf(['hunter2hunter2'])(`password hunter2hun${cutMark}`)).toBe(`password ••••${cutMark}`);
  });

  test('colours stay where no secret is', () => {
    expect(maskOf(['hunter2hunter2'])('\x1b[31mred\x1b[0m')).toBe('\x1b[31mred\x1b[0m');
  });

  test('the longer of two that begin alike goes first', () => {
    expect(maskOf(['secret', 'secret-and-more'])('x secret-and-more y')).toBe('x •••• y');
  });

  test('what several cover is hidden from the first to the last', () => {
    expect(maskOf(['abcdef', 'defghi'])('x abcdefghi y abcdefdefghi')).toBe('x •••• y ••••');
    expect(maskOf(['secret'])('secretsecret secret')).toBe('•••• ••••');
  });

  test('the password of an address is hidden, whoever knows it', () => {
    const mask = maskOf([]);
    expect(mask('at redis://:pw1@db:6379/0, amqp://user:p%40ss@mq/ and http://localhost:5100/@vite/client')).toBe(
      'at redis://:••••@db:6379/0, amqp://user:••••@mq/ and http://localhost:5100/@vite/client',
    );
    expect(mask('mongodb://me:a@b@one,two/db')).toBe('mongodb://me:••••@one,two/db');
  });

  test('of ten thousand secrets none is shown', () => {
    const secrets = Array.from({ length: 10_000 }, (_, n) => `key-${n}-of-many-${n * 7919}`);
    const mask = maskOf(secrets);
    for (const n of [0, 499, 500, 501, 9_999]) expect(mask(`x ${secrets[n]} y`)).toBe('x •••• y');
    expect(mask(secrets.join('\n')).replaceAll('••••', '').trim()).toBe('');
  });
});

describe('secretsOf', () => {
  const shown = (variables: Record<string, string>, text: string, inherited = {}) =>
    maskOf(secretsOf(variables, inherited))(text);

  test.each([
    ['API_TOKEN', 'abcd', 'abcd'],
    ['db_password', 'hunter2', 'hunter2'],
    ['SESSION', 'a1b2c3d4e5f6a7b8', 'a1b2c3d4e5f6a7b8'],
    ['PLAIN', 'postgres://u:s3cret%40pw@db/x', 's3cret@pw'],
    ['PLAIN', 'postgres://u:s3cret%40pw@db/x', 's3cret%40pw'],
    ['PLAIN', 'amqp://a:first@h1,amqp://b:second@h2', 'second'],
    ['PLAIN', 'jdbc:postgresql://db/x?user=me&password=hunter2', 'hunter2'],
    ['PLAIN', 'https://0123456789abcdef0a@errors.example/1', '0123456789abcdef0a'],
    ['PLAIN', 'postgres://u:pa/ss9@h/db', 'pa/ss9'],
    ['APP_SECRET', 'a b&c', 'a%20b%26c'],
    ['APP_SECRET', 'a/b?c', 'a%2fb%3fc'],
    ['APP_SECRET', 'say "it"', 'say \\"it\\"'],
    ['PEM_KEY', 'BEGIN\r\nMIIEabcd\r\nx9==\r\n', 'x9=='],
  ])('%s=%j hides %j', (name, value, printed) => {
    expect(shown({ [name]: value }, `it is ${printed} here`)).toBe('it is •••• here');
  });

  test.each([
    ['NODE_ENV', 'production', 'in production'],
    ['TOKENIZERS_PARALLELISM', 'false', 'it is false'],
    ['PLAIN', 'postgres://postgres@localhost/db', 'postgres is up'],
    ['PLAIN', 'http://localhost:5100/@fs/x', 'at localhost:5100'],
    ['PROCLET_PORT_AUTH', '5100', 'at 5100'],
  ])('%s=%j hides nothing of it', (name, value, text) => expect(shown({ [name]: value }, text)).toBe(text));

  test('what proclet inherited is one by its name, but for the names of the system', () => {
    const system = {
      PWD: '/home/me/hoge',
      SSH_AUTH_SOCK: '/tmp/agent.77',
      LS_COLORS: 'rs=0:di=01;34:ln=01',
      AWS_SECRET_KEY: 'abcd/efg',
    };
    const text = Object.values(system).join(' ');
    expect(shown(system, text, system)).toBe('/home/me/hoge /tmp/agent.77 rs=0:di=01;34:ln=01 ••••');
    expect(shown({ ...system, PWD: 'hunter2' }, 'hunter2', system)).toBe('••••');
  });
});

test('of a file that is broken every value and every line that may be a secret is hidden', () => {
  const text = [
    ...['A_TOKEN="abcd1234', '!!! what', 'B_KEY: efgh', 'MIIEowIBAAKCAQEA7', 'DSN=x://u:pw99@h', 'NAME=hoge'],
    '# a comment that is long enough',
  ];
  const mask = maskOf(secretsOfBroken(text.join('\n')));
  expect(mask('abcd1234 efgh MIIEowIBAAKCAQEA7 pw99 hoge')).toBe('•••• •••• •••• •••• hoge');
  const flow = maskOf(
    secretsOfBroken('services: {web: {env: {A_TOKEN: abcd1, NAME: hoge, "B_KEY": "efgh2"}, env-file: .e}'),
  );
  expect(flow('abcd1 hoge services')).toBe('•••• hoge services');
});

test('what programs were given is known for ever, and the same until there is more', () => {
  const known = new KnownSecrets();
  known.addVariables({ TOKEN: 'first-one' }, {});
  const before = known.all;
  known.addVariables({ TOKEN: 'first-one' }, {});
  expect(known.all).toBe(before);
  known.addVariables({ TOKEN: 'another' }, {});
  expect(known.mask('first-one another third')).toBe('•••• •••• third');
});
