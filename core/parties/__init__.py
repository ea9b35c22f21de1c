"""Who does business here: merchants, acceptors, agents, their bank accounts, pools and keys."""
