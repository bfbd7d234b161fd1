import { mount } from 'svelte';
import '../app.css';
import Door from '../parts/Door.svelte';
import Desk from './Desk.svelte';

const target = document.getElementById('app');
if (target) mount(Door, { target, props: { inside: Desk, needs: 'operator' } });
