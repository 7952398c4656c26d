namespace FlatPO.Recipes.Backbones.Blocks;

/// <summary>Sizes that several families declare alike, as expressions over config.json.</summary>
internal static class Widths
{
    /// <summary>Width of a rotary decoder's attention head.</summary>
    internal const string Head = "(head_dim ?? hidden_size / num_attention_heads)";

    /// <summary>Width of all its queries.</summary>
    internal const string Queries = "num_attention_heads * " + Head;

    /// <summary>Width of all its keys, and of all its values.</summary>
    internal const string Keys = "(num_key_value_heads ?? num_attention_heads) * " + Head;

    /// <summary>What a rotary decoder's layer keeps for backward: the inputs of two norms, queries, keys, values and the mixture of attention, three of the gated feed-forward.</summary>
    internal const string RotaryActivations = "2 * hidden_size + 2 * " + Queries + " + 2 * " + Keys + " + 3 * intermediate_size";

    /// <summary>The same where the gated feed-forward is one operation, which keeps its input and two of its middle.</summary>
    internal const string FusedRotaryActivations = "3 * hidden_size + 2 * " + Queries + " + 2 * " + Keys + " + 2 * intermediate_size";

    /// <summary>Numbers in BERT's tables of positions and token types.</summary>
    internal const string BertEmbeddings = "(max_position_embeddings + (type_vocab_size ?? 2)) * hidden_size";

    /// <summary>What a layer of BERT keeps for backward: the inputs of two norms, queries, keys, values and the mixture of attention, the feed-forward's middle.</summary>
    internal const string BertActivations = "6 * hidden_size + intermediate_size";

    /// <summary>How many labels a classifier tells apart (transformers <c>configuration_utils.py</c>).</summary>
    internal const string Labels = "id2label.count ?? num_labels ?? 2";
}
