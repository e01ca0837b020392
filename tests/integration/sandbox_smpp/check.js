// npm smpp as the client: what it sends must arrive as it meant it, and it must understand what the sandbox says.
'use strict';
const assert = require('node:assert');
const smpp = require('smpp');
const {until, runChecks} = require('../shared/checks');

const ports = JSON.parse(process.env.SANDBOX_PORTS);
const control = `http://${ports.listen}/sandbox`;

const get = async (path) => (await fetch(control + path)).json();
const send = async (method, path, body) => {
    const answer = await fetch(control + path, {method, body: JSON.stringify(body)});
    assert(answer.ok, `${method} ${path}: ${answer.status} ${answer.ok ? '' : await answer.text()}`);
};
const behave = (smsc) => send('PUT', '/behaviour', {smsc});

// A connection with what came over it. Every deliver_sm is answered unless `mute`.
function connect({mute = false} = {}) {
    return new Promise((resolve, reject) => {
        const session = smpp.connect({url: `smpp://${ports.smsc}`}, () => resolve(session));
        session.delivered = [];
        session.closed = false;
        session.on('deliver_sm', (pdu) => {
            session.delivered.push(pdu);
            if (!mute) session.send(pdu.response());
        });
        session.on('enquire_link', (pdu) => session.send(pdu.response()));
        session.on('close', () => { session.closed = true; });
        session.on('error', (fault) => { session.closed = true; reject(fault); });
    });
}
const ask = (session, command, fields) => new Promise((resolve) => session[command](fields, resolve));
const bind = (session, fields = {}) => ask(session, 'bind_transceiver', {system_id: 'esme01', password: 'secret08', interface_version: 0x34, ...fields});
const submit = (session, fields) => ask(session, 'submit_sm', {source_addr: '10690000', source_addr_ton: 1, source_addr_npi: 1, destination_addr: '8613900000001',
    dest_addr_ton: 1, dest_addr_npi: 1, registered_delivery: 1, ...fields});
const close = (session) => new Promise((resolve) => session.close(resolve));
const receiptsOf = (session) => session.delivered.filter((pdu) => pdu.esm_class === 4);

// Takes what earlier checks left under way, so that it does not turn up in the next one.
async function settle() {
    const session = await connect();
    await bind(session);
    await until('every receipt answered', async () => {
        const left = (await get('/messages?limit=100000')).items.filter((item) => item.state === 'accepted').length;
        return left === 0 && (await get('/stats')).smsc.deliveries_waiting === 0;
    });
    await close(session);
    await until('nobody bound', async () => (await get('/stats')).smsc.bound === 0);
}

const checks = {
    async 'a wrong password, an unknown user and traffic before the bind are refused'() {
        const session = await connect();
        assert.strictEqual((await bind(session, {password: 'wrong'})).command_status, smpp.ESME_RINVPASWD);
        assert.strictEqual((await bind(session, {system_id: 'nobody'})).command_status, smpp.ESME_RINVSYSID);
        assert.strictEqual((await submit(session, {short_message: 'x'})).command_status, smpp.ESME_RINVBNDSTS);
        const bound = await bind(session);
        assert.strictEqual(bound.command_status, 0);
        assert.strictEqual(bound.system_id, 'sandbox');
        assert.strictEqual(bound.sc_interface_version, 0x34);
        assert.strictEqual((await ask(session, 'enquire_link', {})).command_status, 0);
        assert.strictEqual((await ask(session, 'unbind', {})).command_status, 0);
        await until('the connection is closed after unbind', () => session.closed);
    },

    async 'texts arrive as they were meant, and each gets its receipt'() {
        const session = await connect();
        await bind(session);
        const texts = [['Hello @ {€} [~]', 0], ['plain ASCII', 1], ['Ünïcode as Latin-1', 3], ['【示例】你好😀', 8]];
        const ids = [];
        for (const [text, data_coding] of texts) {
            const answer = await submit(session, {short_message: text, data_coding});
            assert.strictEqual(answer.command_status, 0);
            ids.push(answer.message_id);
        }
        const stored = (await get('/messages?limit=100')).items;
        assert.deepStrictEqual(stored.slice(-4).map((item) => item.text), texts.map(([text]) => text));
        assert(stored.every((item) => item.account_user === 'esme01' && item.from === '10690000' && item.to === '8613900000001' && item.answered));
        await until('four receipts', () => receiptsOf(session).length === 4);
        for (const pdu of receiptsOf(session)) {
            assert.strictEqual(pdu.source_addr, '8613900000001');
            assert.strictEqual(pdu.destination_addr, '10690000');
            assert(ids.includes(pdu.receipted_message_id.toString().replace(/\0$/, '')), 'an id of the answers');
            assert.strictEqual(pdu.message_state, smpp.MESSAGE_STATE.DELIVERED);
            assert.match(pdu.short_message.message.toString(), /^id:[0-9a-f]+ sub:001 dlvrd:001 submit date:\d{10} done date:\d{10} stat:DELIVRD err:000 text:/);
        }
        assert.strictEqual((await get('/messages?limit=100')).items.at(-1).state, 'delivered');
        await close(session);
    },

    async 'long messages by header, by SAR parameters and by message_payload are put together'() {
        const session = await connect();
        await bind(session);
        const pieces = ['中'.repeat(67), '文'.repeat(67), '😀 end'];
        for (const index of [2, 0, 1])
            await submit(session, {esm_class: 0x40, data_coding: 8, short_message: {udh: Buffer.from([5, 0, 3, 77, 3, index + 1]), message: pieces[index]}});
        for (const index of [1, 0])
            await submit(session, {short_message: ['one ', 'two'][index], sar_msg_ref_num: 300, sar_total_segments: 2, sar_segment_seqnum: index + 1});
        await submit(session, {short_message: '', data_coding: 8, message_payload: '很'.repeat(200)});
        const stored = (await get('/messages?limit=100')).items.slice(-3);
        assert.deepStrictEqual(stored.map((item) => [item.text, item.parts]), [[pieces.join(''), 3], ['one two', 2], ['很'.repeat(200), 1]]);
        await close(session);
    },

    async 'refusals carry their code and nothing is stored'() {
        const session = await connect();
        await bind(session);
        const before = (await get('/stats')).store.messages;
        assert.strictEqual((await submit(session, {short_message: 'x', destination_addr: '+86 139'})).command_status, smpp.ESME_RINVDSTADR);
        await behave({throttle: 1});
        assert.strictEqual((await submit(session, {short_message: 'x'})).command_status, smpp.ESME_RTHROTTLED);
        await behave({throttle: 0, queue_full: 1});
        assert.strictEqual((await submit(session, {short_message: 'x'})).command_status, smpp.ESME_RMSGQFUL);
        await behave({queue_full: 0});
        assert.strictEqual((await get('/stats')).store.messages, before);
        await close(session);
    },

    async 'customers write, in any alphabet and length'() {
        const session = await connect();
        await bind(session);
        const inbound = (text) => send('POST', '/inbound', {channel: 'sms', from: '+8613900000001', to: '10690000', text});
        await inbound('R');
        await inbound('退订😀');
        await inbound('很长'.repeat(50));
        await until('two short messages and two parts', () => session.delivered.length === 4);
        const [short, chinese, first, second] = session.delivered;
        assert.strictEqual(short.short_message.message, 'R');
        assert.strictEqual(short.source_addr, '8613900000001');
        assert.strictEqual(chinese.short_message.message, '退订😀');
        assert.strictEqual(first.short_message.message + second.short_message.message, '很长'.repeat(50));
        await close(session);
    },

    async 'after drop_after the connection ends gracefully, and what was not answered comes again over the next one'() {
        await behave({drop_after: 3, receipt_delay: 'PT0.05S'});
        const session = await connect({mute: true});
        await bind(session);
        const answers = [];
        for (let i = 0; i < 5; ++i) submit(session, {short_message: `drop ${i}`}).then((answer) => answers.push(answer.command_status));
        await until('the connection is closed', () => session.closed);
        assert.strictEqual(answers.filter((status) => status === 0).length, 2);
        await behave({drop_after: 0});
        const next = await connect();
        await bind(next);
        await until('the receipts of the three accepted messages', () => receiptsOf(next).length === 3);
        const texts = (await get('/messages?limit=100')).items.filter((item) => item.text.startsWith('drop'));
        assert.deepStrictEqual(texts.map((item) => [item.text, item.answered]), [['drop 0', true], ['drop 1', true], ['drop 2', false]]);
        await close(next);
    },

    async 'a reset is seen as a reset'() {
        await behave({reset_after: 1});
        const session = await connect();
        await bind(session);
        submit(session, {short_message: 'reset'});
        await until('the connection is gone', () => session.closed);
        await behave({reset_after: 0});
    },

    async 'a few thousand pipelined messages each get one answer and one receipt'() {
        await send('PUT', '/behaviour', {smsc: {receipts: {DELIVRD: 0.9, UNDELIV: 0.1}, response_delay: ['PT0S', 'PT0.02S']}});
        const session = await connect();
        await bind(session);
        const count = 3000;
        const answers = await Promise.all(Array.from({length: count}, (_, i) => submit(session, {short_message: `many ${i}`})));
        assert(answers.every((answer) => answer.command_status === 0));
        assert.strictEqual(new Set(answers.map((answer) => answer.message_id)).size, count);
        await until('a receipt for each', () => receiptsOf(session).length >= count);
        const failed = receiptsOf(session).filter((pdu) => pdu.message_state === smpp.MESSAGE_STATE.UNDELIVERABLE).length;
        assert(failed > count * 0.07 && failed < count * 0.13, `${failed} failed`);
        const duplicates = await get('/duplicates');
        assert.strictEqual(duplicates.items.filter((item) => item.text.startsWith('many')).length, 0);
        await close(session);
    },
};

runChecks(checks, {before: settle});
