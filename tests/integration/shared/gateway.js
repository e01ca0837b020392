// A gateway of the program in TOUCHGATE, in a folder of its own, on a free port.
'use strict';
const {spawn} = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const readline = require('node:readline');
const {until} = require('./checks');

const key = 'integration-key-0123456789';
const scopes = ['touches', 'contacts', 'campaigns', 'reports', 'admin', 'content', 'addresses', 'compliance'];

class Gateway {
    // `settings` are keys of the configuration; the rest has values that suit a test.
    constructor(settings) {
        this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'touchgate-'));
        fs.mkdirSync(path.join(this.folder, 'config'));
        fs.writeFileSync(path.join(this.folder, 'policy.json'), JSON.stringify({name: 'open', rules: []}));
        this.config = path.join(this.folder, 'config', 'gateway.json');
        fs.writeFileSync(this.config, JSON.stringify({http: {listen: '127.0.0.1:0'}, data_dir: 'data', api_keys: [{name: 'integration', key, scopes}], policy: 'policy.json', ...settings}));
    }

    async start() {
        const log = fs.openSync(path.join(this.folder, 'gateway.log'), 'a');
        this.process = spawn(process.env.TOUCHGATE, ['serve', '--config', this.config], {stdio: ['ignore', 'pipe', log]});
        fs.closeSync(log);
        const child = this.process;
        process.once('exit', () => child.kill('SIGKILL'));
        this.ended = new Promise((resolve) => this.process.once('exit', (status, signal) => resolve({status, signal})));
        const said = readline.createInterface({input: this.process.stdout});
        const first = await Promise.race([new Promise((resolve) => said.once('line', resolve)), this.ended.then(() => '')]);
        if (!first.startsWith('listening on ')) throw new Error('the gateway did not start: ' + this.log());
        this.url = first.slice('listening on '.length).trim();
        await until('the gateway is ready', async () => (await fetch(this.url + '/readyz')).ok);
    }
    log() { return fs.readFileSync(path.join(this.folder, 'gateway.log'), 'utf8'); }

    // Ends it with `signal` and gives {status, signal} of its end.
    end(signal) {
        this.process.kill(signal);
        return this.ended;
    }
    async remove() {
        if (this.process && this.process.exitCode === null && this.process.signalCode === null) await this.end('SIGKILL');
        fs.rmSync(this.folder, {recursive: true, force: true});
    }

    async ask(method, where, body, headers = {}) {
        const answer = await fetch(this.url + where, {method, headers: {Authorization: 'Bearer ' + key, ...(body === undefined ? {} : {'Content-Type': 'application/json'}), ...headers},
            body: body === undefined ? undefined : JSON.stringify(body)});
        const text = await answer.text();
        if (!answer.ok) throw Object.assign(new Error(`${method} ${where}: ${answer.status} ${text}`), {status: answer.status});
        return text === '' ? null : JSON.parse(text);
    }
    get(where) { return this.ask('GET', where); }
    post(where, body) { return this.ask('POST', where, body); }

    // The id of a touch to `phone`.
    async touch(phone, text, more = {}) {
        return (await this.post('/v1/touches', {contact: {phone}, purpose: 'marketing', channels: ['sms'], content: {text}, ...more})).id;
    }
    // The touch once it is in one of `states`.
    async settled(id, ...states) {
        let touch;
        await until(`touch ${id} in ${states}`, async () => {
            touch = await this.get('/v1/touches/' + id);
            return states.includes(touch.state);
        }, 20).catch((fault) => { throw new Error(`${fault.message}; it is ${JSON.stringify(touch)}`); });
        return touch;
    }
    async events(query = '') {
        const items = [];
        for (let after = 0;;) {
            const page = (await this.get(`/v1/events?after=${after}&limit=1000&${query}`)).items;
            if (page.length === 0) return items;
            items.push(...page);
            after = page.at(-1).sequence;
        }
    }
}

module.exports = {Gateway, key};
