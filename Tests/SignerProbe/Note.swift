// A second file: a module of one would be a script, whose entry the compiler makes itself.
