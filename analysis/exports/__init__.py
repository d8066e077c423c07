"""Files that leave: a register of what was released, tables, SPSS, R, Mplus, and the codebook as DDI."""
