// A message centre made of npm smpp. What it does with a submit is the check's choice; what it decoded is kept.
'use strict';
const assert = require('node:assert');
const smpp = require('smpp');
const {until} = require('../shared/checks');

class Centre {
    // `passwords` by system_id; `options` as of smpp.createServer.
    constructor(passwords, options = {}) {
        this.passwords = passwords;
        this.submits = [];   // {account, pdu, session}
        this.links = [];     // {account, session, bind, asked, left}: bound at some time
        this.refused = [];   // binds
        this.faults = [];
        this.behaviours = {};
        this.ids = 0;
        this.server = smpp.createServer(options, (session) => this.take(session));
    }
    listen() {
        return new Promise((resolve) => this.server.listen(0, '127.0.0.1', () => resolve(this.server.address().port)));
    }

    take(session) {
        const link = {session, account: null, bind: null, asked: 0, left: false};
        session.on('error', (fault) => { if (fault.code !== 'ECONNRESET') this.faults.push(fault); });
        session.on('close', () => { link.account = null; });
        for (const kind of ['bind_transceiver', 'bind_transmitter', 'bind_receiver']) {
            session.on(kind, (pdu) => {
                if (this.passwords[pdu.system_id] !== pdu.password) {
                    this.refused.push(pdu);
                    session.send(pdu.response({command_status: smpp.ESME_RINVPASWD}));
                    return;
                }
                Object.assign(link, {account: pdu.system_id, bind: pdu});
                this.links.push(link);
                session.send(pdu.response({system_id: 'centre', sc_interface_version: 0x34}));
            });
        }
        session.on('enquire_link', (pdu) => {
            ++link.asked;
            session.send(pdu.response());
        });
        session.on('unbind', (pdu) => {
            link.left = true;
            session.send(pdu.response());
        });
        session.on('submit_sm', (pdu) => {
            this.submits.push({account: link.account, pdu, session});
            const behaviour = this.behaviours[link.account] || (() => ({}));
            const answer = behaviour(pdu, session);
            if (answer) this.answer(session, pdu, answer);
        });
    }
    answer(session, pdu, fields) {
        session.send(pdu.response(fields.command_status ? fields : {message_id: this.nextId(), ...fields}));
    }
    nextId() { return 'id-' + ++this.ids; }

    // What happens to submits of `account`: a function of PDU and session that gives the answer's fields, or null for no answer.
    behave(account, behaviour) { this.behaviours[account] = behaviour; }

    linkOf(account) { return this.links.find((link) => link.account === account); }
    async bound(account) {
        await until(account + ' bound', () => this.linkOf(account) !== undefined, 20);
        return this.linkOf(account);
    }
    submitsTo(phone) { return this.submits.filter(({pdu}) => '+' + pdu.destination_addr === phone); }
    async submitted(phone, count = 1) {
        await until(`${count} submits to ${phone}`, () => this.submitsTo(phone).length >= count);
        return this.submitsTo(phone).map(({pdu}) => pdu);
    }

    // Hands a PDU to the account's connection and expects `status` as the answer to it.
    async deliver(account, command, fields, status = 0) {
        const {session} = await this.bound(account);
        const answer = await new Promise((resolve) => session[command](fields, resolve));
        assert.strictEqual(answer.command, command + '_resp');
        assert.strictEqual(answer.command_status, status);
    }
    // A receipt for a message to `phone`. `form`: text, tlv or both.
    receipt(account, phone, id, {stat = 'DELIVRD', state = smpp.MESSAGE_STATE.DELIVERED, form = 'both', esm_class = 4} = {}) {
        const text = `id:${id} sub:001 dlvrd:001 submit date:2501010800 done date:2501010801 stat:${stat} err:000 text:hello`;
        return this.deliver(account, 'deliver_sm', {source_addr: phone.slice(1), source_addr_ton: 1, source_addr_npi: 1, destination_addr: '10690000', esm_class, data_coding: 0,
            short_message: form === 'tlv' ? '' : text, ...(form === 'text' ? {} : {receipted_message_id: id, message_state: state})});
    }
    close() {
        this.server.close();
        for (const session of [...this.server.sessions]) session.destroy();
    }
}

module.exports = {Centre};
