import { mount } from 'svelte';
import '../app.css';
import Desk from './Desk.svelte';

const target = document.getElementById('app');
if (target) mount(Desk, { target });
