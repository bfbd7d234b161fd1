import { mount } from 'svelte';
import App from './App.svelte';
import './app.css';
import Door from './parts/Door.svelte';

const target = document.getElementById('app');
if (target) mount(Door, { target, props: { inside: App, needs: 'player' } });
