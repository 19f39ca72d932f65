//! Stories in virtual time: login, redirect, refresh, renewal, faults, seeds.

mod faults;
mod hours;
mod login;
mod proxy;
mod redirect;
mod refresh;
mod rules;
mod seeds;
mod wire;
