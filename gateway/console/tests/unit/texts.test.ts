import assert from 'node:assert/strict';
import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, test} from 'node:test';
import {parse, NodeTypes, type TemplateChildNode} from '@vue/compiler-dom';
import {parse as parseComponent} from '@vue/compiler-sfc';
import {catalogue} from '../../src/texts/catalogue.ts';
import {fill, preferredLanguage} from '../../src/texts/texts.ts';
import {shortcuts} from '../../src/desk/shortcuts.ts';
import {securityPolicy} from '../mock-gateway.ts';

const folder = process.env['CONSOLE_FOLDER'] ?? '.';
const source = join(folder, 'src');

function filesBelow(path: string): string[] {
  return readdirSync(path, {withFileTypes: true}).flatMap(entry => entry.isDirectory() ? filesBelow(join(path, entry.name)) : [join(path, entry.name)]);
}

const letters = /\p{L}/u;
const spoken = ['aria-label', 'aria-description', 'title', 'placeholder', 'alt', 'label'];

// Words that stand in a template as they are.
function hardCoded(nodes: TemplateChildNode[]): string[] {
  return nodes.flatMap(node => {
    if (node.type === NodeTypes.TEXT) return letters.test(node.content) ? [node.content.trim()] : [];
    if (node.type === NodeTypes.INTERPOLATION) {
      const content = 'content' in node.content ? String(node.content.content) : '';
      return [...content.matchAll(/'([^']*)'|"([^"]*)"|`([^`$]*)`/g)].map(match => match[1] ?? match[2] ?? match[3] ?? '').filter(text => (/ /.test(text) && letters.test(text)) || /\p{Script=Han}/u.test(text));
    }
    if (node.type !== NodeTypes.ELEMENT) return [];
    const attributes = node.props.flatMap(prop => prop.type === NodeTypes.ATTRIBUTE && spoken.includes(prop.name) && letters.test(prop.value?.content ?? '') ? [`${prop.name}="${prop.value?.content}"`] : []);
    return [...attributes, ...hardCoded(node.children)];
  });
}

describe('texts', () => {
  test('every text is there in both languages, with the same values in it', () => {
    for (const [key, [en, zh]] of Object.entries(catalogue)) {
      const values = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(match => match[1]).sort();
      assert(en.trim() !== '' && zh.trim() !== '', `${key} is empty`);
      assert.deepEqual(values(zh), values(en), `${key} has other values in the other language`);
      assert(!/\p{Script=Han}/u.test(en) || key.startsWith('language.'), `${key}: Chinese in the English text`);
      assert(/\p{Script=Han}/u.test(zh) || !/\p{L}/u.test(zh.replace(/\{\w+\}/g, '')) || zh === en, `${key}: not translated`);
    }
  });

  test('no visible text is written into a component', () => {
    const components = filesBelow(source).filter(file => file.endsWith('.vue'));
    assert(components.length > 20);
    for (const file of components) {
      const template = parseComponent(readFileSync(file, 'utf8')).descriptor.template;
      assert(template, file);
      assert.deepEqual(hardCoded(parse(template.content).children), [], file);
    }
  });

  test('every key that is asked for exists, and every text is used', () => {
    const code = filesBelow(source).filter(file => /\.(vue|ts)$/.test(file) && !file.endsWith('catalogue.ts')).map(file => readFileSync(file, 'utf8')).join('\n');
    const asked = [...code.matchAll(/\bt\('([^']+)'/g)].map(match => match[1]!);
    for (const key of asked) assert(key in catalogue, `${key} is not in the catalogue`);
    const groups = new Set([...code.matchAll(/(?:word|hasWord)\('([a-z_]+)'/g), ...code.matchAll(/t\(`([a-z_]+)\.\$/g)].map(match => match[1]!));
    for (const group of ['touch', 'interaction']) groups.add(group);
    assert.deepEqual(Object.keys(catalogue).filter(key => !code.includes(`'${key}'`) && !groups.has(key.split('.')[0]!)), [], 'texts that are not used');
  });

  test('the browser\'s first language that is known counts', () => {
    assert.equal(preferredLanguage(['fr-FR', 'zh-TW', 'en']), 'zh-CN');
    assert.equal(preferredLanguage(['en-GB', 'zh']), 'en');
    assert.equal(preferredLanguage(['fr']), 'en');
    assert.equal(fill('{a} of {b}, {c}', {a: 1, b: 'x'}), '1 of x, {c}');
  });

  test('no two shortcuts are the same key', () => {
    assert.equal(new Set(shortcuts.map(each => each.code)).size, shortcuts.length);
  });
});

describe('security', () => {
  test('the mock gateway sends the policy that the gateway sends', () => {
    const header = readFileSync(join(folder, '../http/console_files.hpp'), 'utf8');
    const written = [.../console_security_policy =\s*((?:"[^"]*"\s*)+);/.exec(header)![1]!.matchAll(/"([^"]*)"/g)].map(match => match[1]).join('');
    assert.equal(securityPolicy, written);
  });

  test('nothing is loaded from outside, and nothing is evaluated', () => {
    for (const file of [...filesBelow(source), join(folder, 'index.html'), join(folder, 'sidebar.html')]) {
      const text = readFileSync(file, 'utf8').replaceAll('http://www.w3.org/2000/svg', '');
      assert(!/(?:src|href)="(?:https?:)?\/\//.test(text), `${file} loads from outside`);
      assert(!/url\(["']?(?:https?:|data:)/.test(text), `${file} loads from outside`);
      assert(!/\beval\(|new Function\(|v-html|innerHTML/.test(text), `${file} evaluates or takes raw HTML`);
      assert(!/<script(?![^>]*src=)[^>]*>[^<]/.test(text) || file.endsWith('.vue'), `${file} has an inline script`);
    }
  });
});
