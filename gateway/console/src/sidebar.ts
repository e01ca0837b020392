// The sidebar beside a chat: one customer, from the same components as the desktop; no telephone, no offers.
import {createApp} from 'vue';
import SidebarApp from './components/SidebarApp.vue';
import {Customers} from './desk/customers.ts';
import {Desk, deskKey} from './desk/desk.ts';
import {customersKey} from './desk/parts.ts';
import {measureSkew, startClock} from './timing/now.ts';
import {workerTimers} from './timing/timers.ts';
import './styles/base.css';
import './styles/sidebar.css';

const desk = new Desk(workerTimers());
startClock();
void measureSkew();
createApp(SidebarApp).provide(deskKey, desk).provide(customersKey, new Customers(desk)).mount('#app');
desk.resumeKept();
