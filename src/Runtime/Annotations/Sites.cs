namespace FlatPO.Recipes;

/// <summary>
/// The places of a backbone an adapter may sit, by role; each family maps its own module names to them
/// (<c>q_proj</c> and <c>query</c> are both <see cref="Query"/>).
/// </summary>
[Flags]
public enum Sites
{
    /// <summary>No site.</summary>
    None = 0,

    /// <summary>The query projection of attention (<c>q_proj</c>).</summary>
    Query = 1 << 0,

    /// <summary>The key projection of attention (<c>k_proj</c>).</summary>
    Key = 1 << 1,

    /// <summary>The value projection of attention (<c>v_proj</c>).</summary>
    Value = 1 << 2,

    /// <summary>The output projection of attention (<c>o_proj</c>, <c>out_proj</c>).</summary>
    Output = 1 << 3,

    /// <summary>The gate of a gated feed-forward block (<c>gate_proj</c>).</summary>
    Gate = 1 << 4,

    /// <summary>The widening layer of the feed-forward block (<c>up_proj</c>, <c>fc1</c>).</summary>
    Up = 1 << 5,

    /// <summary>The narrowing layer of the feed-forward block (<c>down_proj</c>, <c>fc2</c>).</summary>
    Down = 1 << 6,

    /// <summary>The task's head (<c>lm_head</c>, <c>classifier</c>); never part of <see cref="AllLinear"/>, as in PEFT.</summary>
    Head = 1 << 7,

    /// <summary>A layer between spaces: from a tower into the one it shares with the other (<c>visual_projection</c>), from embeddings to wider layers (OPT-350m's <c>project_in</c>).</summary>
    Projection = 1 << 8,

    /// <summary>The table of token vectors (<c>embed_tokens</c>).</summary>
    Embedding = 1 << 9,

    /// <summary>A norm: its weight and, where it has one, its bias (<c>input_layernorm</c>).</summary>
    Norm = 1 << 10,

    /// <summary>Where vectors enter the layers: what an adapter puts before a text's tokens or an image's patches stands here.</summary>
    Inputs = 1 << 11,

    /// <summary>Query, key, value and output.</summary>
    Attention = Query | Key | Value | Output,

    /// <summary>Gate, up and down.</summary>
    FeedForward = Gate | Up | Down,

    /// <summary>Every linear layer but the head (PEFT's <c>all-linear</c>, which takes projections too).</summary>
    AllLinear = Attention | FeedForward | Projection,
}
