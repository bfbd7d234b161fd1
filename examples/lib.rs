//! Each file in this folder is a program that runs alone.
