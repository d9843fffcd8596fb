// Empty: its presence lets this package declare functions without a body (see kcpFlush).
