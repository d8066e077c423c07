"""Files for other programs: a register of what was released, SPSS, R, Mplus, and the codebook as DDI."""
